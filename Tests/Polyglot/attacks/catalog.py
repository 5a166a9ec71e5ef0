"""The attacks, each registered with what it may cost and how it may end."""
import dataclasses, inspect

SERVED = "served on"


@dataclasses.dataclass
class Attack:
    body: object
    on: str  # a target: plane, open, admin, interop
    memory: int  # MiB that the server may grow by, at its peak
    why: str  # that much
    ends: tuple  # how its verdicts may begin
    counts: tuple  # in `make test`, in `make soak`
    slow: str = ""  # waits for the server's timers: run at once with others of that group
    counted: tuple = ()  # what of the plane's counters it must have raised, by their labels

    @property
    def name(self):
        return self.body.__name__

    @property
    def title(self):
        return inspect.getdoc(self.body).split("\n")[0].rstrip(".")


ATTACKS = []


def attack(memory, why, *ends, counts, on="plane", slow="", counted=()):
    """Registers `body(target, count)`, which returns its verdicts (one or a list) and the seconds until it was cut off."""
    def register(body):
        ATTACKS.append(Attack(body, on, memory, why, ends or (SERVED,), counts, slow, counted))
        return body
    return register
