#include "base/random_id.hpp"

#include <openssl/rand.h>

#include <stdexcept>
#include <vector>

namespace engram::base {

std::string random_hex(std::size_t bytes) {
    std::vector<unsigned char> raw(bytes);
    if (RAND_bytes(raw.data(), int(raw.size())) != 1)
        throw std::runtime_error("no random bytes from the system");
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes * 2);
    for (unsigned char const b : raw) {
        text += digits[b >> 4];
        text += digits[b & 15];
    }
    return text;
}

}  // namespace engram::base
