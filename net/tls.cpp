#include "net/tls.hpp"

#include <boost/asio/ip/address.hpp>
#include <climits>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <utility>

namespace engram::net {
namespace {

std::string newest_error() {
    char text[256];
    auto const code = ERR_peek_last_error();
    if (code == 0) return "unknown error";
    ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return text;
}

// OpenSSL's own socket BIO writes with write(), which raises SIGPIPE when the peer is gone.
int bio_fd(BIO* bio) {
    return int(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int finish_io(BIO* bio, ssize_t n, int retry_flag) {
    BIO_clear_retry_flags(bio);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
    return int(n);
}

int bio_write(BIO* bio, char const* data, int size) {
    return finish_io(bio, ::send(bio_fd(bio), data, std::size_t(size), MSG_NOSIGNAL | MSG_DONTWAIT),
                     BIO_FLAGS_WRITE);
}

int bio_read(BIO* bio, char* into, int size) {
    return finish_io(bio, ::recv(bio_fd(bio), into, std::size_t(size), MSG_DONTWAIT), BIO_FLAGS_READ);
}

long bio_ctrl(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* socket_method() {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signals");
        if (!m) throw std::runtime_error("TLS: " + newest_error());
        BIO_meth_set_write(m, bio_write);
        BIO_meth_set_read(m, bio_read);
        BIO_meth_set_ctrl(m, bio_ctrl);
        return m;
    }();
    return method;
}

bool is_address(std::string const& host) {
    boost::system::error_code ec;
    boost::asio::ip::make_address(host, ec);
    return !ec;
}

}  // namespace

tls_policy::tls_policy(std::string const& ca_file, std::string_view protocol) {
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    if (!context) throw std::runtime_error("TLS: " + newest_error());
    SSL_CTX* const c = context.get();
    SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(
        c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(c, &tls_session::keep);
    if (!protocol.empty()) {
        std::string const offer = char(protocol.size()) + std::string(protocol);
        SSL_CTX_set_alpn_protos(c, reinterpret_cast<unsigned char const*>(offer.data()),
                                unsigned(offer.size()));
    }
    if (ca_file.empty() && SSL_CTX_set_default_verify_paths(c) != 1)
        throw std::runtime_error("the system's CA certificates cannot be read: " + newest_error());
    if (!ca_file.empty() && SSL_CTX_load_verify_file(c, ca_file.c_str()) != 1)
        throw std::runtime_error("no CA certificates can be read from '" + ca_file + "': " + newest_error());
    ERR_clear_error();
    context_ = context.release();
}

tls_policy::~tls_policy() {
    SSL_CTX_free(context_);
}

tls_host::tls_host(std::shared_ptr<tls_policy const> policy, std::string name)
    : policy_(std::move(policy)), name_(std::move(name)) {
    while (name_.ends_with('.'))
        name_.pop_back();  // certificates name hosts without the root's dot
}

tls_host::~tls_host() {
    SSL_SESSION_free(newest_);
}

int tls_session::keep(SSL* ssl, SSL_SESSION* session) {
    auto* const host = static_cast<tls_host*>(SSL_get_app_data(ssl));
    SSL_SESSION_free(std::exchange(host->newest_, session));
    return 1;  // the reference is ours now
}

tls_session::tls_session(tls_host& host, int fd) : ssl_(SSL_new(host.policy_->context_)) {
    BIO* const bio = ssl_ ? BIO_new(socket_method()) : nullptr;
    if (!bio) {
        SSL_free(ssl_);
        throw std::runtime_error("TLS: " + newest_error());
    }
    BIO_set_data(bio, reinterpret_cast<void*>(std::intptr_t(fd)));
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_, bio, bio);
    SSL_set_app_data(ssl_, &host);
    SSL_set_connect_state(ssl_);

    auto const& name = host.name_;
    auto* const verify = SSL_get0_param(ssl_);
    X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    bool const numeric = is_address(name);
    int const set = numeric ? X509_VERIFY_PARAM_set1_ip_asc(verify, name.c_str())
                            : X509_VERIFY_PARAM_set1_host(verify, name.data(), name.size());
    // The name is also told to the server, which chooses its certificate by it; an address may not be (RFC
    // 6066).
    if (set != 1 || (!numeric && SSL_set_tlsext_host_name(ssl_, name.c_str()) != 1)) {
        SSL_free(ssl_);
        throw std::runtime_error("TLS: the host name cannot be checked: " + newest_error());
    }
    if (host.newest_) SSL_set_session(ssl_, host.newest_);
}

tls_session::~tls_session() {
    ERR_clear_error();
    // Says goodbye; without it OpenSSL would also take the session for one that must not be resumed.
    if (established_ && !broken_) SSL_shutdown(ssl_);
    ERR_clear_error();
    SSL_free(ssl_);
}

io_step tls_session::handshake() {
    ERR_clear_error();
    int const n = SSL_do_handshake(ssl_);
    int const saved = errno;
    if (n != 1) return explain(n, saved);
    established_ = true;
    return {io::done};
}

io_step tls_session::read(std::span<char> into) {
    ERR_clear_error();
    int const n = SSL_read(ssl_, into.data(), int(std::min<std::size_t>(into.size(), INT_MAX)));
    int const saved = errno;
    if (n <= 0) return explain(n, saved);
    return {io::done, std::size_t(n)};
}

io_step tls_session::write(std::string_view bytes) {
    ERR_clear_error();
    int const n = SSL_write(ssl_, bytes.data(), int(std::min<std::size_t>(bytes.size(), INT_MAX)));
    int const saved = errno;
    if (n <= 0) return explain(n, saved);
    return {io::done, std::size_t(n)};
}

bool tls_session::has_pending() const {
    return SSL_has_pending(ssl_) == 1;
}

io_step tls_session::explain(int returned, int saved_errno) {
    switch (SSL_get_error(ssl_, returned)) {
        case SSL_ERROR_WANT_READ:
            return {io::want_read};
        case SSL_ERROR_WANT_WRITE:
            return {io::want_write};
        case SSL_ERROR_ZERO_RETURN:
            return {io::closed, 0, "closed by the server"};
        case SSL_ERROR_SYSCALL:
            broken_ = true;
            if (saved_errno == 0) return {io::closed, 0, "closed by the server"};
            return {io::closed, 0, std::generic_category().message(saved_errno)};
        default:
            break;
    }
    broken_ = true;
    if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        ERR_clear_error();
        return {io::closed, 0, "closed by the server"};
    }
    auto const verdict = SSL_get_verify_result(ssl_);
    if (!established_ && verdict != X509_V_OK)
        return {io::failed, 0,
                std::string("the server's certificate is not accepted: ") +
                    X509_verify_cert_error_string(verdict)};
    return {io::failed, 0, newest_error()};
}

}  // namespace engram::net
