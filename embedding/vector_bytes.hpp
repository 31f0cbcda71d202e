// Vectors as they are stored: one byte a dimension.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engram::embedding {

/// A vector of unit length as bytes: each component times 127, rounded, as a signed byte. The more
/// dimensions, the coarser: the cosine of two such blobs is off by less than .01 at 384 dimensions, .015 at
/// 1,024 and .03 at 4,096, most of it near 1, where it comes out too low.
[[nodiscard]] std::string to_bytes(std::span<float const> unit_vector);

/// The vector again, of unit length; empty if there is none in `bytes` (no byte but 0).
[[nodiscard]] std::vector<float> from_bytes(std::string_view bytes);

/// The cosine of two blobs, -1..1; 0 if one of them is empty, or they have different dimensions.
[[nodiscard]] double cosine(std::string_view a, std::string_view b);

/// The same for one blob against many.
class cosine_to {
public:
    explicit cosine_to(std::string_view bytes);
    [[nodiscard]] double operator()(std::string_view other) const;

private:
    std::string bytes_;
    double length_;
};

}  // namespace engram::embedding
