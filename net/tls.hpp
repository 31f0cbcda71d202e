// TLS for the connections to one host, driven over a socket that does not block.
//
// OpenSSL reads and writes the socket itself and says what it waits for; the caller waits. So a connection
// costs no buffers of ours, and OpenSSL gives its own back while nothing moves: thousands of them wait for
// answers.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;

namespace engram::net {

enum class io { done, want_read, want_write, closed, failed };

/// What one attempt to move bytes came to.
struct io_step {
    net::io state = io::done;
    std::size_t bytes = 0;
    std::string what = {};  ///< for closed and failed
};

/// Trust, and the newest session of the host for a cheaper next handshake. Must outlive its sessions.
class tls_context {
public:
    /// Trusts `ca_file`, or where it is empty the system's store (SSL_CERT_FILE and SSL_CERT_DIR are
    /// honoured). Throws std::runtime_error if that cannot be read.
    tls_context(std::string const& ca_file, std::string host);
    ~tls_context();
    tls_context(tls_context const&) = delete;
    tls_context& operator=(tls_context const&) = delete;

private:
    friend class tls_session;
    static int keep_session(ssl_st* ssl, ssl_session_st* session);

    std::string host_;
    ssl_ctx_st* context_ = nullptr;
    ssl_session_st* newest_ = nullptr;
};

/// One TLS connection over the connected socket `fd`, which must outlive it.
class tls_session {
public:
    /// Throws std::runtime_error if OpenSSL is out of memory.
    tls_session(tls_context& context, int fd);
    ~tls_session();
    tls_session(tls_session const&) = delete;
    tls_session& operator=(tls_session const&) = delete;

    io_step handshake();
    io_step read(std::span<char> into);
    io_step write(std::string_view bytes);
    [[nodiscard]] bool resumed() const;

private:
    io_step explain(int returned, int saved_errno);

    ssl_st* ssl_;
    bool established_ = false;
    bool broken_ = false;
};

/// The same for a plain socket.
[[nodiscard]] io_step read_socket(int fd, std::span<char> into);
[[nodiscard]] io_step write_socket(int fd, std::string_view bytes);

}  // namespace engram::net
