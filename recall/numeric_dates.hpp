// Dates written in digits.
#pragma once

#include "recall/dates.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace engram::recall {

/// The date with which the text begins, if it does: "2023-12-31", "2023-12", "10.01.2024" (10 January),
/// "10.01.", "12/31/2023", "31/12/23", "2024年1月10日", "1月10日", "2024년 1월 10일".
/// It is added to `to`; 3/4/2023 may be of March or of April and adds both.
///
/// Returns its bytes, 0: none. REQUIRES: no number goes on before the text.
[[nodiscard]] std::size_t numeric_date_at(std::string_view text, std::vector<asked_date>& to);

}  // namespace engram::recall
