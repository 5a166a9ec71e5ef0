"""What two commits' runs of `gatehouse-bench --json` come to: medians and their ratio, figure by figure."""
import collections, json, pathlib, statistics, sys


def samples(folder, name):
    """All samples of our own figures, by row, contestant and quantity."""
    found = collections.defaultdict(list)
    for file in sorted(folder.glob(f"{name}-*.json")):
        for figure in json.loads(file.read_text())["figures"]:
            found[figure["row"], figure["contestant"], figure["quantity"]] += figure["samples"]
    return found


def spread(values):
    return statistics.quantiles(values, n=4) if len(values) > 1 else [values[0]] * 3


def main(folder, base_name):
    base, this = (samples(pathlib.Path(folder), name) for name in ("base", "this"))
    print(f"{'figure':54}{base_name:>36}{'this':>36}   ratio")
    for key in [key for key in this if key in base]:
        (a, b, c), (d, e, f) = spread(base[key]), spread(this[key])
        before, after = f"{b:,.2f} ({a:,.2f}–{c:,.2f})", f"{e:,.2f} ({d:,.2f}–{f:,.2f})"
        print(f"{' '.join(key):54}{before:>36}{after:>36}   {e / b if b else 0:.3f}")
    if not set(this) & set(base):
        sys.exit("bench-ratios: the two have no figure in common")


main(*sys.argv[1:])
