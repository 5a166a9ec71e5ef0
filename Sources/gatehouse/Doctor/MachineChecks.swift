internal import EventLoop
internal import FoundationEssentials
internal import Host

/// What this machine has.
enum MachineChecks {
  static var all: [Finding] { [kernel, landlock, descriptors, python] }

  /// For people who decide where workspaces run.
  static var shared: [String] {
    let common = [
      "It is the account of the plane: files the account may write, its processes and network.",
      "Commands run under no_new_privs, with an environment of their own; no key is in it.",
    ]
    guard Kernel.landlockVersion > 0 else {
      return common + [
        "This kernel has no Landlock: commands can read what the account can, credentials too."
      ]
    }
    return common + [
      "Landlock keeps them from the plane's state, the daemon's key, the client's configuration",
      "and the account's credential folders. For more, run the plane from an account of its own.",
    ]
  }

  private static var kernel: Finding {
    let release =
      (FileManager.default.contents(atPath: "/proc/sys/kernel/osrelease"))
      .map { String(decoding: $0, as: UTF8.self) } ?? ""
    let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    guard numbers.count == 2 else {
      return Finding(grade: .note, text: "kernel: the release '\(release)' says nothing to us")
    }
    let isRecent = (numbers[0], numbers[1]) >= (5, 6)
    return Finding(
      grade: isRecent ? .good : .wrong,
      text: "kernel \(numbers[0]).\(numbers[1])",
      remedy: isRecent ? "" : "5.6 or newer is needed, for openat2"
    )
  }

  private static var landlock: Finding {
    let version = Kernel.landlockVersion
    guard version > 0 else {
      return Finding(
        grade: .note,
        text: "Landlock is missing",
        remedy: "commands of local workspaces can read what the account can; a kernel from 5.13 on "
          + "with lsm=landlock has it"
      )
    }
    return Finding(grade: .good, text: "Landlock, version \(version)")
  }

  private static var descriptors: Finding {
    // Plane and daemon raise theirs to it.
    let most = DescriptorLimit.current.hard
    guard most >= 4_096 else {
      return Finding(
        grade: .note,
        text: "a process may open \(most) files and connections",
        remedy: "a plane needs one for each link and client; raise it as root with ulimit -Hn "
          + "65536, or by LimitNOFILE= of its unit"
      )
    }
    return Finding(grade: .good, text: "a process may open \(most) files and connections")
  }

  private static var python: Finding {
    guard let path = Programs.find("python3") else {
      return Finding(
        grade: .note,
        text: "python3 is not in PATH",
        remedy: "the demo needs it; nothing else does"
      )
    }
    return Finding(grade: .good, text: "python3 at \(path)")
  }

  /// Of planes whose settings name no other.
  static var daemon: Finding {
    let path = (try? ThisProcess.sibling("gatehouse-toold")) ?? ""
    guard FileManager.default.isExecutableFile(atPath: path) else {
      return Finding(
        grade: .wrong,
        text: "gatehouse-toold is not beside gatehouse",
        remedy: "install it there (\(path)); local workspaces need it"
      )
    }
    return Finding(grade: .good, text: "gatehouse-toold at \(path)")
  }

  /// Of planes whose settings say nothing of it.
  static var model: Finding {
    let hasKey = ThisProcess.variable("OPENAI_API_KEY") != nil
    if let url = ThisProcess.variable("GATEHOUSE_MODEL_URL") {
      return Finding(
        grade: .good,
        text: "a model is set in this environment: \(url), \(hasKey ? "with" : "without") a key"
      )
    }
    guard hasKey else {
      return Finding(
        grade: .note,
        text: "no model is set in this environment",
        remedy: "set OPENAI_API_KEY or GATEHOUSE_MODEL_URL where the plane is started"
      )
    }
    return Finding(grade: .good, text: "OPENAI_API_KEY is set in this environment")
  }
}
