/// The tables of a ledger's index. They hold nothing that events do not: a file of another version, or
/// of another ledger, is made anew.
enum IndexSchema {
  /// 5: a row for each term and block of events, where there was one for each term and event; times.
  static let version: Int64 = 5

  /// The tables that follow from the events.
  static let derived = ["posting", "block", "open_call", "open_chat", "call_key"]

  static let tables = """
    CREATE TABLE state (
      one INTEGER PRIMARY KEY CHECK (one = 1), origin TEXT NOT NULL, sequence INTEGER NOT NULL
    ) STRICT;
    INSERT INTO state VALUES (1, '', 0);
    CREATE TABLE posting (
      term INTEGER NOT NULL, block INTEGER NOT NULL, places BLOB NOT NULL, PRIMARY KEY (term, block)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE block (
      block INTEGER PRIMARY KEY, earliest INTEGER NOT NULL, latest INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE open_call (call TEXT PRIMARY KEY, intent INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE open_chat (chat TEXT PRIMARY KEY, start INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE call_key (
      principal TEXT NOT NULL, issuer BLOB NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL,
      call TEXT NOT NULL, workspace TEXT NOT NULL, intent INTEGER NOT NULL, ended INTEGER NOT NULL,
      PRIMARY KEY (principal, issuer, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX call_key_of_call ON call_key (call);
    CREATE INDEX call_key_by_intent ON call_key (intent);
    """
}
