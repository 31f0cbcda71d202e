// Throw-away certificates for TLS tests.
#pragma once

#include <string>

namespace engram::tests {

struct certificate {
    std::string pem;
    std::string key_pem;
};

/// A certificate authority of its own.
[[nodiscard]] certificate make_authority();
/// A certificate signed by `authority`; `names` as in a subjectAltName ("DNS:localhost,IP:127.0.0.1").
[[nodiscard]] certificate make_certificate(certificate const& authority, std::string const& names);

/// A file with this text that is removed with the object.
class temporary_file {
public:
    explicit temporary_file(std::string const& text);
    ~temporary_file();
    temporary_file(temporary_file const&) = delete;
    temporary_file& operator=(temporary_file const&) = delete;
    [[nodiscard]] std::string const& path() const { return path_; }

private:
    std::string path_;
};

}  // namespace engram::tests
