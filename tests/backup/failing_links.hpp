// A file system without hard links, for this program.
#pragma once

namespace engram::backup::test {

/// As long as it is there, link() fails with this error. One at a time.
class failing_links {
public:
    explicit failing_links(int error);
    failing_links(failing_links const&) = delete;
    failing_links& operator=(failing_links const&) = delete;
    ~failing_links();
};

}  // namespace engram::backup::test
