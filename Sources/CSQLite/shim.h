#pragma once
#include <sqlite3.h>

// SQLITE_TRANSIENT is a cast of -1 to a function: SQLite copies what is bound.
static inline int gh_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes,
                                      sqlite3_uint64 count) {
  return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_TRANSIENT);
}
// SQLITE_STATIC, a null function: SQLite uses what is bound where it lies.
static inline void gh_sqlite_lend_blob(sqlite3_stmt *statement, int index, const void *bytes,
                                       sqlite3_uint64 count) {
  sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_STATIC);
}
static inline int gh_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text,
                                      sqlite3_uint64 count) {
  return sqlite3_bind_text64(statement, index, text, count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

// errno of the last call on the write-ahead log that failed, else on the database, else 0. What
// sqlite3_system_errno says is errno as it stood when the statement ended, after other calls.
static inline int gh_sqlite_errno(sqlite3 *connection) {
  sqlite3_file *file = 0;
  int code = 0;
  if (sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) == SQLITE_OK &&
      file && file->pMethods &&
      file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &code) == SQLITE_OK && code)
    return code;
  if (sqlite3_file_control(connection, "main", SQLITE_FCNTL_LAST_ERRNO, &code) == SQLITE_OK && code)
    return code;
  return sqlite3_system_errno(connection);
}
