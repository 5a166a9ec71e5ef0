import FoundationEssentials
import SwiftProtobuf
import Wire

@testable import DaemonWire

let callPairs: [Pair] = [
  Pair(
    Chunk(stream: .request, offset: 200000, data: [3, 0, 255]),
    Gatehouse_Tools_V1_Chunk.with {
      $0.stream = .request
      $0.offset = 200000
      $0.data = Data([3, 0, 255])
    }
  ),
  Pair(
    Gap(stream: .request, offset: 200000, length: 300000),
    Gatehouse_Tools_V1_Gap.with {
      $0.stream = .request
      $0.offset = 200000
      $0.length = 300000
    }
  ),
  Pair(
    StreamOffset(stream: .request, offset: 200000),
    Gatehouse_Tools_V1_StreamOffset.with {
      $0.stream = .request
      $0.offset = 200000
    }
  ),
  Pair(
    Ack(offsets: [
      StreamOffset(stream: .request, offset: 200000),
      StreamOffset(stream: .request, offset: 200000),
    ]),
    Gatehouse_Tools_V1_Ack.with {
      $0.offsets = [
        Gatehouse_Tools_V1_StreamOffset.with {
          $0.stream = .request
          $0.offset = 200000
        },
        Gatehouse_Tools_V1_StreamOffset.with {
          $0.stream = .request
          $0.offset = 200000
        },
      ]
    }
  ),
  Pair(
    StreamTotal(stream: .request, bytes: 200000, sha256: [3, 0, 255]),
    Gatehouse_Tools_V1_StreamTotal.with {
      $0.stream = .request
      $0.bytes = 200000
      $0.sha256 = Data([3, 0, 255])
    }
  ),
  Pair(
    ToolError(code: "code é2", message: "message é3", currentSha256: [4, 0, 255]),
    Gatehouse_Tools_V1_ToolError.with {
      $0.code = "code é2"
      $0.message = "message é3"
      $0.currentSha256 = Data([4, 0, 255])
    }
  ),
  Pair(
    Exit(
      outcome: .lost,
      code: 2,
      signal: 3,
      response: [4, 0, 255],
      error: ToolError(code: "code é5", message: "message é6", currentSha256: [7, 0, 255]),
      totals: [
        StreamTotal(stream: .request, bytes: 800000, sha256: [9, 0, 255]),
        StreamTotal(stream: .request, bytes: 800000, sha256: [9, 0, 255]),
      ],
      durationUs: 1000000,
      treeGone: true
    ),
    Gatehouse_Tools_V1_Exit.with {
      $0.outcome = .lost
      $0.code = 2
      $0.signal = 3
      $0.response = Data([4, 0, 255])
      $0.error = Gatehouse_Tools_V1_ToolError.with {
        $0.code = "code é5"
        $0.message = "message é6"
        $0.currentSha256 = Data([7, 0, 255])
      }
      $0.totals = [
        Gatehouse_Tools_V1_StreamTotal.with {
          $0.stream = .request
          $0.bytes = 800000
          $0.sha256 = Data([9, 0, 255])
        },
        Gatehouse_Tools_V1_StreamTotal.with {
          $0.stream = .request
          $0.bytes = 800000
          $0.sha256 = Data([9, 0, 255])
        },
      ]
      $0.durationUs = 1000000
      $0.treeGone = true
    }
  ),
  Pair(
    Signal(number: 2),
    Gatehouse_Tools_V1_Signal.with {
      $0.number = 2
    }
  ),
  Pair(
    Resize(columns: 2000, rows: 3000),
    Gatehouse_Tools_V1_Resize.with {
      $0.columns = 2000
      $0.rows = 3000
    }
  ),
  Pair(
    CloseStdin(offset: 200000),
    Gatehouse_Tools_V1_CloseStdin.with {
      $0.offset = 200000
    }
  ),
  Pair(
    OutputRule(whenFull: .spill, ringBytes: 2000, spillBytes: 300_000),
    Gatehouse_Tools_V1_OutputRule.with {
      $0.whenFull = .spill
      $0.ringBytes = 2000
      $0.spillBytes = 300_000
    }
  ),
]

let linkPairs: [Pair] = [
  Pair(
    ConnectRequest(
      message: .hello(
        Hello(
          generation: 2000,
          instanceId: [3, 0, 255],
          capabilities: ["capabilities é4", "capabilities é4"],
          maxCalls: 5000,
          version: "version é6"
        )
      )
    ),
    Gatehouse_Link_V1_ConnectRequest.with {
      $0.hello = Gatehouse_Link_V1_Hello.with {
        $0.generation = 2000
        $0.instanceID = Data([3, 0, 255])
        $0.capabilities = ["capabilities é4", "capabilities é4"]
        $0.maxCalls = 5000
        $0.version = "version é6"
      }
    }
  ),
  Pair(
    Hello(
      generation: 2000,
      instanceId: [3, 0, 255],
      capabilities: ["capabilities é4", "capabilities é4"],
      maxCalls: 5000,
      version: "version é6"
    ),
    Gatehouse_Link_V1_Hello.with {
      $0.generation = 2000
      $0.instanceID = Data([3, 0, 255])
      $0.capabilities = ["capabilities é4", "capabilities é4"]
      $0.maxCalls = 5000
      $0.version = "version é6"
    }
  ),
  Pair(
    Inventory(
      calls: [
        KnownCall(callId: "call_id é2", digest: [3, 0, 255], ended: true),
        KnownCall(callId: "call_id é2", digest: [3, 0, 255], ended: true),
      ],
      last: true
    ),
    Gatehouse_Link_V1_Inventory.with {
      $0.calls = [
        Gatehouse_Link_V1_KnownCall.with {
          $0.callID = "call_id é2"
          $0.digest = Data([3, 0, 255])
          $0.ended = true
        },
        Gatehouse_Link_V1_KnownCall.with {
          $0.callID = "call_id é2"
          $0.digest = Data([3, 0, 255])
          $0.ended = true
        },
      ]
      $0.last = true
    }
  ),
  Pair(
    KnownCall(
      callId: "call_id é2",
      digest: [3, 0, 255],
      ended: true,
      exit: Exit(outcome: .exited, code: 4000, treeGone: true)
    ),
    Gatehouse_Link_V1_KnownCall.with {
      $0.callID = "call_id é2"
      $0.digest = Data([3, 0, 255])
      $0.ended = true
      $0.exit = Gatehouse_Tools_V1_Exit.with {
        $0.outcome = .exited
        $0.code = 4000
        $0.treeGone = true
      }
    }
  ),
  Pair(
    Heartbeat(sequence: 200000),
    Gatehouse_Link_V1_Heartbeat.with {
      $0.sequence = 200000
    }
  ),
  Pair(
    Refused(
      callId: "call_id é2",
      error: ToolError(code: "code é3", message: "message é4", currentSha256: [5, 0, 255])
    ),
    Gatehouse_Link_V1_Refused.with {
      $0.callID = "call_id é2"
      $0.error = Gatehouse_Tools_V1_ToolError.with {
        $0.code = "code é3"
        $0.message = "message é4"
        $0.currentSha256 = Data([5, 0, 255])
      }
    }
  ),
  Pair(
    Unclaimed(callId: "call_id é2", reason: "reason é3"),
    Gatehouse_Link_V1_Unclaimed.with {
      $0.callID = "call_id é2"
      $0.reason = "reason é3"
    }
  ),
  Pair(
    ConnectResponse(
      message: .welcome(
        Welcome(
          sessionEpoch: 200000,
          generation: 3000,
          capabilities: ["capabilities é4", "capabilities é4"],
          heartbeatMs: 5000,
          ticketMs: 6000,
          maxCalls: 7000,
          workspaceId: "workspace_id é8",
          workspaceName: "workspace_name é9"
        )
      )
    ),
    Gatehouse_Link_V1_ConnectResponse.with {
      $0.welcome = Gatehouse_Link_V1_Welcome.with {
        $0.sessionEpoch = 200000
        $0.generation = 3000
        $0.capabilities = ["capabilities é4", "capabilities é4"]
        $0.heartbeatMs = 5000
        $0.ticketMs = 6000
        $0.maxCalls = 7000
        $0.workspaceID = "workspace_id é8"
        $0.workspaceName = "workspace_name é9"
      }
    }
  ),
  Pair(
    Welcome(
      sessionEpoch: 200000,
      generation: 3000,
      capabilities: ["capabilities é4", "capabilities é4"],
      heartbeatMs: 5000,
      ticketMs: 6000,
      maxCalls: 7000,
      workspaceId: "workspace_id é8",
      workspaceName: "workspace_name é9"
    ),
    Gatehouse_Link_V1_Welcome.with {
      $0.sessionEpoch = 200000
      $0.generation = 3000
      $0.capabilities = ["capabilities é4", "capabilities é4"]
      $0.heartbeatMs = 5000
      $0.ticketMs = 6000
      $0.maxCalls = 7000
      $0.workspaceID = "workspace_id é8"
      $0.workspaceName = "workspace_name é9"
    }
  ),
  Pair(
    Offer(
      callId: "call_id é2",
      ticket: [3, 0, 255],
      digest: [4, 0, 255],
      deadlineMs: 500000,
      tool: "tool é6",
      request: [7, 0, 255],
      requestBytes: 800000
    ),
    Gatehouse_Link_V1_Offer.with {
      $0.callID = "call_id é2"
      $0.ticket = Data([3, 0, 255])
      $0.digest = Data([4, 0, 255])
      $0.deadlineMs = 500000
      $0.tool = "tool é6"
      $0.request = Data([7, 0, 255])
      $0.requestBytes = 800000
    }
  ),
  Pair(
    Resume(
      callId: "call_id é2",
      ticket: [3, 0, 255],
      acknowledged: [
        StreamOffset(stream: .request, offset: 400000),
        StreamOffset(stream: .request, offset: 400000),
      ]
    ),
    Gatehouse_Link_V1_Resume.with {
      $0.callID = "call_id é2"
      $0.ticket = Data([3, 0, 255])
      $0.acknowledged = [
        Gatehouse_Tools_V1_StreamOffset.with {
          $0.stream = .request
          $0.offset = 400000
        },
        Gatehouse_Tools_V1_StreamOffset.with {
          $0.stream = .request
          $0.offset = 400000
        },
      ]
    }
  ),
  Pair(
    CancelCall(callId: "call_id é2"),
    Gatehouse_Link_V1_CancelCall.with {
      $0.callID = "call_id é2"
    }
  ),
  Pair(
    Drain(reason: "reason é2"),
    Gatehouse_Link_V1_Drain.with {
      $0.reason = "reason é2"
    }
  ),
  Pair(
    Forget(callIds: ["call_ids é2", "call_ids é2"]),
    Gatehouse_Link_V1_Forget.with {
      $0.callIds = ["call_ids é2", "call_ids é2"]
    }
  ),
  Pair(
    CarryRequest(message: .chunk(Chunk(stream: .request, offset: 200000, data: [3, 0, 255]))),
    Gatehouse_Link_V1_CarryRequest.with {
      $0.chunk = Gatehouse_Tools_V1_Chunk.with {
        $0.stream = .request
        $0.offset = 200000
        $0.data = Data([3, 0, 255])
      }
    }
  ),
  Pair(
    Opened(received: [
      StreamOffset(stream: .request, offset: 200000),
      StreamOffset(stream: .request, offset: 200000),
    ]),
    Gatehouse_Link_V1_Opened.with {
      $0.received = [
        Gatehouse_Tools_V1_StreamOffset.with {
          $0.stream = .request
          $0.offset = 200000
        },
        Gatehouse_Tools_V1_StreamOffset.with {
          $0.stream = .request
          $0.offset = 200000
        },
      ]
    }
  ),
  Pair(
    CarryResponse(message: .chunk(Chunk(stream: .request, offset: 200000, data: [3, 0, 255]))),
    Gatehouse_Link_V1_CarryResponse.with {
      $0.chunk = Gatehouse_Tools_V1_Chunk.with {
        $0.stream = .request
        $0.offset = 200000
        $0.data = Data([3, 0, 255])
      }
    }
  ),
  Pair(
    RenewRequest(csrDer: [2, 0, 255]),
    Gatehouse_Link_V1_RenewRequest.with {
      $0.csrDer = Data([2, 0, 255])
    }
  ),
  Pair(
    RenewResponse(certificatesDer: [[2, 0, 255], [2, 0, 255]]),
    Gatehouse_Link_V1_RenewResponse.with {
      $0.certificatesDer = [Data([2, 0, 255]), Data([2, 0, 255])]
    }
  ),
]

let filesPairs: [Pair] = [
  Pair(
    ByteRange(offset: 200000, length: 300000),
    Gatehouse_Tools_V1_ByteRange.with {
      $0.offset = 200000
      $0.length = 300000
    }
  ),
  Pair(
    LineRange(first: 200000, last: 300000),
    Gatehouse_Tools_V1_LineRange.with {
      $0.first = 200000
      $0.last = 300000
    }
  ),
  Pair(
    ReadRequest(
      path: [2, 0, 255],
      range: .bytes(ByteRange(offset: 300000, length: 400000)),
      maxBytes: 5000
    ),
    Gatehouse_Tools_V1_ReadRequest.with {
      $0.path = Data([2, 0, 255])
      $0.bytes = Gatehouse_Tools_V1_ByteRange.with {
        $0.offset = 300000
        $0.length = 400000
      }
      $0.maxBytes = 5000
    }
  ),
  Pair(
    ReadResponse(
      content: [2, 0, 255],
      offset: 300000,
      totalBytes: 400000,
      sha256: [5, 0, 255],
      truncated: true,
      firstLine: 700000,
      totalLines: 800000
    ),
    Gatehouse_Tools_V1_ReadResponse.with {
      $0.content = Data([2, 0, 255])
      $0.offset = 300000
      $0.totalBytes = 400000
      $0.sha256 = Data([5, 0, 255])
      $0.truncated = true
      $0.firstLine = 700000
      $0.totalLines = 800000
    }
  ),
  Pair(
    Precondition(condition: .sha256([2, 0, 255])),
    Gatehouse_Tools_V1_Precondition.with {
      $0.sha256 = Data([2, 0, 255])
    }
  ),
  Pair(
    WriteRequest(
      path: [2, 0, 255],
      content: [3, 0, 255],
      ifMatch: Precondition(condition: .sha256([4, 0, 255])),
      makeParents: true,
      mode: 6000
    ),
    Gatehouse_Tools_V1_WriteRequest.with {
      $0.path = Data([2, 0, 255])
      $0.content = Data([3, 0, 255])
      $0.ifMatch = Gatehouse_Tools_V1_Precondition.with {
        $0.sha256 = Data([4, 0, 255])
      }
      $0.makeParents = true
      $0.mode = 6000
    }
  ),
  Pair(
    WriteResponse(
      sha256: [2, 0, 255],
      totalBytes: 300000,
      created: true,
      diff: "diff é5",
      diffTruncated: true
    ),
    Gatehouse_Tools_V1_WriteResponse.with {
      $0.sha256 = Data([2, 0, 255])
      $0.totalBytes = 300000
      $0.created = true
      $0.diff = "diff é5"
      $0.diffTruncated = true
    }
  ),
  Pair(
    Edit(oldText: [2, 0, 255], newText: [3, 0, 255], replaceAll: true),
    Gatehouse_Tools_V1_Edit.with {
      $0.oldText = Data([2, 0, 255])
      $0.newText = Data([3, 0, 255])
      $0.replaceAll = true
    }
  ),
  Pair(
    EditRequest(
      path: [2, 0, 255],
      edits: [
        Edit(oldText: [3, 0, 255], newText: [4, 0, 255], replaceAll: true),
        Edit(oldText: [3, 0, 255], newText: [4, 0, 255], replaceAll: true),
      ],
      ifMatch: Precondition(condition: .sha256([6, 0, 255]))
    ),
    Gatehouse_Tools_V1_EditRequest.with {
      $0.path = Data([2, 0, 255])
      $0.edits = [
        Gatehouse_Tools_V1_Edit.with {
          $0.oldText = Data([3, 0, 255])
          $0.newText = Data([4, 0, 255])
          $0.replaceAll = true
        },
        Gatehouse_Tools_V1_Edit.with {
          $0.oldText = Data([3, 0, 255])
          $0.newText = Data([4, 0, 255])
          $0.replaceAll = true
        },
      ]
      $0.ifMatch = Gatehouse_Tools_V1_Precondition.with {
        $0.sha256 = Data([6, 0, 255])
      }
    }
  ),
  Pair(
    EditResponse(
      sha256: [2, 0, 255],
      totalBytes: 300000,
      replacements: 4000,
      diff: "diff é5",
      diffTruncated: true
    ),
    Gatehouse_Tools_V1_EditResponse.with {
      $0.sha256 = Data([2, 0, 255])
      $0.totalBytes = 300000
      $0.replacements = 4000
      $0.diff = "diff é5"
      $0.diffTruncated = true
    }
  ),
  Pair(
    FileInfo(
      path: [2, 0, 255],
      type: .other,
      bytes: 300000,
      mode: 4000,
      modifiedUnixUs: -5,
      linkTarget: [6, 0, 255]
    ),
    Gatehouse_Tools_V1_FileInfo.with {
      $0.path = Data([2, 0, 255])
      $0.type = .other
      $0.bytes = 300000
      $0.mode = 4000
      $0.modifiedUnixUs = -5
      $0.linkTarget = Data([6, 0, 255])
    }
  ),
  Pair(
    StatRequest(path: [2, 0, 255], digest: true),
    Gatehouse_Tools_V1_StatRequest.with {
      $0.path = Data([2, 0, 255])
      $0.digest = true
    }
  ),
  Pair(
    StatResponse(
      file: FileInfo(
        path: [2, 0, 255],
        type: .other,
        bytes: 300000,
        mode: 4000,
        modifiedUnixUs: -5,
        linkTarget: [6, 0, 255]
      ),
      sha256: [7, 0, 255]
    ),
    Gatehouse_Tools_V1_StatResponse.with {
      $0.file = Gatehouse_Tools_V1_FileInfo.with {
        $0.path = Data([2, 0, 255])
        $0.type = .other
        $0.bytes = 300000
        $0.mode = 4000
        $0.modifiedUnixUs = -5
        $0.linkTarget = Data([6, 0, 255])
      }
      $0.sha256 = Data([7, 0, 255])
    }
  ),
  Pair(
    ListFilesRequest(
      path: [2, 0, 255],
      recursive: true,
      globs: ["globs é4", "globs é4"],
      includeHidden: true,
      includeIgnored: true,
      maxEntries: 7000,
      continuation: [8, 0, 255]
    ),
    Gatehouse_Tools_V1_ListFilesRequest.with {
      $0.path = Data([2, 0, 255])
      $0.recursive = true
      $0.globs = ["globs é4", "globs é4"]
      $0.includeHidden = true
      $0.includeIgnored = true
      $0.maxEntries = 7000
      $0.continuation = Data([8, 0, 255])
    }
  ),
  Pair(
    ListFilesResponse(
      files: [
        FileInfo(
          path: [2, 0, 255],
          type: .other,
          bytes: 300000,
          mode: 4000,
          modifiedUnixUs: -5,
          linkTarget: [6, 0, 255]
        ),
        FileInfo(
          path: [2, 0, 255],
          type: .other,
          bytes: 300000,
          mode: 4000,
          modifiedUnixUs: -5,
          linkTarget: [6, 0, 255]
        ),
      ],
      continuation: [7, 0, 255]
    ),
    Gatehouse_Tools_V1_ListFilesResponse.with {
      $0.files = [
        Gatehouse_Tools_V1_FileInfo.with {
          $0.path = Data([2, 0, 255])
          $0.type = .other
          $0.bytes = 300000
          $0.mode = 4000
          $0.modifiedUnixUs = -5
          $0.linkTarget = Data([6, 0, 255])
        },
        Gatehouse_Tools_V1_FileInfo.with {
          $0.path = Data([2, 0, 255])
          $0.type = .other
          $0.bytes = 300000
          $0.mode = 4000
          $0.modifiedUnixUs = -5
          $0.linkTarget = Data([6, 0, 255])
        },
      ]
      $0.continuation = Data([7, 0, 255])
    }
  ),
  Pair(
    SearchRequest(
      path: [2, 0, 255],
      pattern: "pattern é3",
      literal: true,
      ignoreCase: true,
      globs: ["globs é6", "globs é6"],
      contextLines: 7000,
      maxMatches: 8000,
      continuation: [9, 0, 255],
      includeHidden: true,
      includeIgnored: true
    ),
    Gatehouse_Tools_V1_SearchRequest.with {
      $0.path = Data([2, 0, 255])
      $0.pattern = "pattern é3"
      $0.literal = true
      $0.ignoreCase = true
      $0.globs = ["globs é6", "globs é6"]
      $0.contextLines = 7000
      $0.maxMatches = 8000
      $0.continuation = Data([9, 0, 255])
      $0.includeHidden = true
      $0.includeIgnored = true
    }
  ),
  Pair(
    SearchMatch(
      path: [2, 0, 255],
      line: 300000,
      column: 4000,
      text: [5, 0, 255],
      before: [[6, 0, 255], [6, 0, 255]],
      after: [[7, 0, 255], [7, 0, 255]]
    ),
    Gatehouse_Tools_V1_SearchMatch.with {
      $0.path = Data([2, 0, 255])
      $0.line = 300000
      $0.column = 4000
      $0.text = Data([5, 0, 255])
      $0.before = [Data([6, 0, 255]), Data([6, 0, 255])]
      $0.after = [Data([7, 0, 255]), Data([7, 0, 255])]
    }
  ),
  Pair(
    SearchResponse(
      matches: [
        SearchMatch(
          path: [2, 0, 255],
          line: 300000,
          column: 4000,
          text: [5, 0, 255],
          before: [[6, 0, 255], [6, 0, 255]],
          after: [[7, 0, 255], [7, 0, 255]]
        ),
        SearchMatch(
          path: [2, 0, 255],
          line: 300000,
          column: 4000,
          text: [5, 0, 255],
          before: [[6, 0, 255], [6, 0, 255]],
          after: [[7, 0, 255], [7, 0, 255]]
        ),
      ],
      continuation: [8, 0, 255],
      filesSearched: 900000,
      filesSkipped: 1000000,
      limited: true
    ),
    Gatehouse_Tools_V1_SearchResponse.with {
      $0.matches = [
        Gatehouse_Tools_V1_SearchMatch.with {
          $0.path = Data([2, 0, 255])
          $0.line = 300000
          $0.column = 4000
          $0.text = Data([5, 0, 255])
          $0.before = [Data([6, 0, 255]), Data([6, 0, 255])]
          $0.after = [Data([7, 0, 255]), Data([7, 0, 255])]
        },
        Gatehouse_Tools_V1_SearchMatch.with {
          $0.path = Data([2, 0, 255])
          $0.line = 300000
          $0.column = 4000
          $0.text = Data([5, 0, 255])
          $0.before = [Data([6, 0, 255]), Data([6, 0, 255])]
          $0.after = [Data([7, 0, 255]), Data([7, 0, 255])]
        },
      ]
      $0.continuation = Data([8, 0, 255])
      $0.filesSearched = 900000
      $0.filesSkipped = 1000000
      $0.limited = true
    }
  ),
]

let otherPairs: [Pair] = [
  Pair(
    EnvironmentVariable(name: "name é2", value: "value é3"),
    Gatehouse_Tools_V1_EnvironmentVariable.with {
      $0.name = "name é2"
      $0.value = "value é3"
    }
  ),
  Pair(
    Terminal(columns: 2000, rows: 3000, term: "term é4"),
    Gatehouse_Tools_V1_Terminal.with {
      $0.columns = 2000
      $0.rows = 3000
      $0.term = "term é4"
    }
  ),
  Pair(
    ExecRequest(
      argv: [[2, 0, 255], [2, 0, 255]],
      cwd: [3, 0, 255],
      environment: [
        EnvironmentVariable(name: "name é4", value: "value é5"),
        EnvironmentVariable(name: "name é4", value: "value é5"),
      ],
      terminal: Terminal(columns: 6000, rows: 7000, term: "term é8"),
      stdin: true,
      output: OutputRule(whenFull: .dropOldest, ringBytes: 10000)
    ),
    Gatehouse_Tools_V1_ExecRequest.with {
      $0.argv = [Data([2, 0, 255]), Data([2, 0, 255])]
      $0.cwd = Data([3, 0, 255])
      $0.environment = [
        Gatehouse_Tools_V1_EnvironmentVariable.with {
          $0.name = "name é4"
          $0.value = "value é5"
        },
        Gatehouse_Tools_V1_EnvironmentVariable.with {
          $0.name = "name é4"
          $0.value = "value é5"
        },
      ]
      $0.terminal = Gatehouse_Tools_V1_Terminal.with {
        $0.columns = 6000
        $0.rows = 7000
        $0.term = "term é8"
      }
      $0.stdin = true
      $0.output = Gatehouse_Tools_V1_OutputRule.with {
        $0.whenFull = .dropOldest
        $0.ringBytes = 10000
      }
    }
  ),
  Pair(
    ShellRequest(
      script: "script é2",
      cwd: [3, 0, 255],
      environment: [
        EnvironmentVariable(name: "name é4", value: "value é5"),
        EnvironmentVariable(name: "name é4", value: "value é5"),
      ],
      shell: "shell é6",
      output: OutputRule(whenFull: .dropOldest, ringBytes: 7000)
    ),
    Gatehouse_Tools_V1_ShellRequest.with {
      $0.script = "script é2"
      $0.cwd = Data([3, 0, 255])
      $0.environment = [
        Gatehouse_Tools_V1_EnvironmentVariable.with {
          $0.name = "name é4"
          $0.value = "value é5"
        },
        Gatehouse_Tools_V1_EnvironmentVariable.with {
          $0.name = "name é4"
          $0.value = "value é5"
        },
      ]
      $0.shell = "shell é6"
      $0.output = Gatehouse_Tools_V1_OutputRule.with {
        $0.whenFull = .dropOldest
        $0.ringBytes = 7000
      }
    }
  ),
  Pair(
    EnrollRequest(token: "token é2", csrDer: [3, 0, 255]),
    Gatehouse_Link_V1_EnrollRequest.with {
      $0.token = "token é2"
      $0.csrDer = Data([3, 0, 255])
    }
  ),
  Pair(
    EnrollResponse(
      certificatesDer: [[2, 0, 255], [2, 0, 255]],
      authoritiesDer: [[3, 0, 255], [3, 0, 255]],
      identity: "identity é4",
      planeAddress: "plane_address é5"
    ),
    Gatehouse_Link_V1_EnrollResponse.with {
      $0.certificatesDer = [Data([2, 0, 255]), Data([2, 0, 255])]
      $0.authoritiesDer = [Data([3, 0, 255]), Data([3, 0, 255])]
      $0.identity = "identity é4"
      $0.planeAddress = "plane_address é5"
    }
  ),
]
