#include "support/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <stdlib.h>
#include <unistd.h>

namespace engram::tests {
namespace {

using key_ptr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using x509_ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using bio_ptr = std::unique_ptr<BIO, decltype(&BIO_free)>;

std::string text_of(BIO* bio) {
    char* data = nullptr;
    long const size = BIO_get_mem_data(bio, &data);
    return {data, std::size_t(size)};
}

key_ptr new_key() {
    key_ptr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), EVP_PKEY_free);
    if (!key) throw std::runtime_error("no key");
    return key;
}

x509_ptr new_certificate(EVP_PKEY* key, char const* name) {
    static long serial = 1;
    x509_ptr x(X509_new(), X509_free);
    X509_set_version(x.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x.get()), 3600);
    X509_set_pubkey(x.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<unsigned char const*>(name), -1, -1, 0);
    return x;
}

void add_extension(X509* x, X509* issuer, int nid, std::string const& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x, nullptr, nullptr, 0);
    auto* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    if (!extension) throw std::runtime_error("no extension " + value);
    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
}

certificate to_pem(X509* x, EVP_PKEY* key) {
    bio_ptr const x_out(BIO_new(BIO_s_mem()), BIO_free);
    bio_ptr const key_out(BIO_new(BIO_s_mem()), BIO_free);
    PEM_write_bio_X509(x_out.get(), x);
    PEM_write_bio_PrivateKey(key_out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return {text_of(x_out.get()), text_of(key_out.get())};
}

}  // namespace

certificate make_authority() {
    auto const key = new_key();
    auto const x = new_certificate(key.get(), "engram test authority");
    X509_set_issuer_name(x.get(), X509_get_subject_name(x.get()));
    add_extension(x.get(), x.get(), NID_basic_constraints, "critical,CA:TRUE");
    add_extension(x.get(), x.get(), NID_key_usage, "critical,keyCertSign");
    X509_sign(x.get(), key.get(), EVP_sha256());
    return to_pem(x.get(), key.get());
}

certificate make_certificate(certificate const& authority, std::string const& names) {
    bio_ptr const x_in(BIO_new_mem_buf(authority.pem.data(), int(authority.pem.size())), BIO_free);
    bio_ptr const key_in(BIO_new_mem_buf(authority.key_pem.data(), int(authority.key_pem.size())), BIO_free);
    x509_ptr const issuer(PEM_read_bio_X509(x_in.get(), nullptr, nullptr, nullptr), X509_free);
    key_ptr const issuer_key(PEM_read_bio_PrivateKey(key_in.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
    auto const key = new_key();
    auto const x = new_certificate(key.get(), "engram test server");
    X509_set_issuer_name(x.get(), X509_get_subject_name(issuer.get()));
    add_extension(x.get(), issuer.get(), NID_subject_alt_name, names);
    X509_sign(x.get(), issuer_key.get(), EVP_sha256());
    return to_pem(x.get(), key.get());
}

temporary_file::temporary_file(std::string const& text)
    : path_((std::filesystem::temp_directory_path() / "engram-test-XXXXXX").string()) {
    int const fd = ::mkstemp(path_.data());
    if (fd < 0) throw std::runtime_error("no temporary file");
    ::close(fd);
    std::ofstream(path_) << text;
}

temporary_file::~temporary_file() {
    std::filesystem::remove(path_);
}

}  // namespace engram::tests
