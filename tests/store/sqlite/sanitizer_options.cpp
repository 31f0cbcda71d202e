// SQLite is not instrumented: what it does under its own locks, and the index of the log that it shares
// between connections by design, looks like a race to ThreadSanitizer.
extern "C" char const* __tsan_default_suppressions();
extern "C" char const* __tsan_default_suppressions() {
    return "called_from_lib:libsqlite3.so\n";
}
