// TLS as a client, driven over a socket that does not block.
//
// OpenSSL reads and writes the socket itself and says what it waits for; the caller waits. So a connection
// costs no buffers of ours, and OpenSSL gives its own back while nothing moves: thousands of them wait for
// answers.
#pragma once

#include "net/io.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;

namespace engram::net {

/// What every TLS connection of ours demands: TLS 1.2 or later, and a certificate for the name or address of
/// the host from an authority that is trusted.
class tls_policy {
public:
    /// Trusts `ca_file`, or where it is empty the system's store (SSL_CERT_FILE and SSL_CERT_DIR are
    /// honoured). Throws std::runtime_error if that cannot be read. `protocol` is offered by ALPN, unless it
    /// is empty.
    explicit tls_policy(std::string const& ca_file, std::string_view protocol = {});
    ~tls_policy();
    tls_policy(tls_policy const&) = delete;
    tls_policy& operator=(tls_policy const&) = delete;

private:
    friend class tls_session;
    ssl_ctx_st* context_;
};

/// A host under a policy, with its newest session for a cheaper next handshake. A session is never used for
/// another host: a handshake that resumes one does not look at the certificate again.
class tls_host {
public:
    tls_host(std::shared_ptr<tls_policy const> policy, std::string name);
    ~tls_host();
    tls_host(tls_host const&) = delete;
    tls_host& operator=(tls_host const&) = delete;

private:
    friend class tls_session;
    std::shared_ptr<tls_policy const> policy_;
    std::string name_;
    ssl_session_st* newest_ = nullptr;
};

/// One TLS connection to `host` over the connected socket `fd`; both must outlive it.
class tls_session {
public:
    /// Throws std::runtime_error if OpenSSL is out of memory.
    tls_session(tls_host& host, int fd);
    ~tls_session();
    tls_session(tls_session const&) = delete;
    tls_session& operator=(tls_session const&) = delete;

    io_step handshake();
    io_step read(std::span<char> into);
    io_step write(std::string_view bytes);
    /// Bytes have come for read() that the socket does not tell of any more.
    [[nodiscard]] bool has_pending() const;

private:
    friend class tls_policy;
    static int keep(ssl_st* ssl, ssl_session_st* session);
    io_step explain(int returned, int saved_errno);

    ssl_st* ssl_;
    bool established_ = false;
    bool broken_ = false;
};

}  // namespace engram::net
