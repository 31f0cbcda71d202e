#include "base/secret.hpp"

#include <openssl/crypto.h>

namespace engram::base {

secret::~secret() {
    OPENSSL_cleanse(value_.data(), value_.size());
}

}  // namespace engram::base
