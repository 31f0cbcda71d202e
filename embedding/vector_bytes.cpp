#include "embedding/vector_bytes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace engram::embedding {
namespace {

constexpr float scale = 127;

int component(char byte) {
    return static_cast<signed char>(byte);
}

/// What a cosine is made of.
struct products {
    std::int64_t with_other = 0;
    std::int64_t with_itself = 0;  // of the second
};

// Sums of 32 bits, which the compiler turns into vector instructions: 4,096 products of at most 128 * 128
// stay far below 2^31.
products multiply_some(char const* a, char const* b, std::size_t size) {
    std::int32_t with_other = 0;
    std::int32_t with_itself = 0;
    for (std::size_t i = 0; i < size; ++i) {
        with_other += component(a[i]) * component(b[i]);
        with_itself += component(b[i]) * component(b[i]);
    }
    return {with_other, with_itself};
}

products multiply(std::string_view a, std::string_view b) {
    constexpr std::size_t step = 4096;
    products sums;
    for (std::size_t i = 0; i < a.size(); i += step) {
        auto const some = multiply_some(a.data() + i, b.data() + i, std::min(step, a.size() - i));
        sums.with_other += some.with_other;
        sums.with_itself += some.with_itself;
    }
    return sums;
}

double length(std::string_view bytes) {
    return std::sqrt(double(multiply(bytes, bytes).with_itself));
}

double cosine_of(std::string_view a, double length_a, std::string_view b) {
    if (a.size() != b.size()) return 0;
    auto const sums = multiply(a, b);
    if (length_a == 0 || sums.with_itself == 0) return 0;
    return std::clamp(double(sums.with_other) / (length_a * std::sqrt(double(sums.with_itself))), -1.0, 1.0);
}

}  // namespace

std::string to_bytes(std::span<float const> unit_vector) {
    std::string bytes;
    bytes.reserve(unit_vector.size());
    for (float const x : unit_vector)
        bytes += char(static_cast<signed char>(std::lround(std::clamp(x, -1.0F, 1.0F) * scale)));
    return bytes;
}

std::vector<float> from_bytes(std::string_view bytes) {
    double const norm = length(bytes);
    if (norm == 0) return {};
    std::vector<float> vector;
    vector.reserve(bytes.size());
    for (char const c : bytes)
        vector.push_back(float(component(c) / norm));
    return vector;
}

double cosine(std::string_view a, std::string_view b) {
    return cosine_of(a, length(a), b);
}

cosine_to::cosine_to(std::string_view bytes) : bytes_(bytes), length_(length(bytes)) {}

double cosine_to::operator()(std::string_view other) const {
    return cosine_of(bytes_, length_, other);
}

}  // namespace engram::embedding
