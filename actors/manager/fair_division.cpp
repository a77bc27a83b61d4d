#include "actors/manager/fair_division.hpp"

#include <algorithm>

namespace rolecall {

std::vector<std::uint32_t> divide_fairly(std::uint32_t total,
                                         const std::vector<share_claim>& claims) {
  // Everybody gets the same level, as far as it is between his least and what he wants.
  auto share = [](const share_claim& claim, std::uint32_t level) {
    return std::clamp(level, claim.least, std::max(claim.least, claim.wanted));
  };
  auto used = [&](std::uint32_t level) {
    std::uint64_t sum = 0;
    for (const auto& claim : claims)
      sum += share(claim, level);
    return sum;
  };
  std::uint32_t low = 0; // the greatest level that is known to fit, once the search is over
  std::uint32_t high = total;
  while (low < high) {
    auto middle = low + (high - low + 1) / 2;
    if (used(middle) <= total)
      low = middle;
    else
      high = middle - 1;
  }
  std::vector<std::uint32_t> result;
  result.reserve(claims.size());
  auto left = std::uint64_t{total} - std::min<std::uint64_t>(total, used(low));
  for (const auto& claim : claims) {
    result.push_back(share(claim, low));
    if (left > 0 && claim.wanted > result.back() && result.back() == low) {
      ++result.back();
      --left;
    }
  }
  return result;
}

} // namespace rolecall
