#include "actors/router/demand_shares.hpp"

#include <algorithm>
#include <numeric>

namespace rolecall {

std::vector<std::uint32_t> split_demand(std::uint32_t waiting,
                                        const std::vector<std::uint32_t>& most) {
  std::vector<std::uint32_t> result(most.size(), 0);
  auto sum = std::accumulate(most.begin(), most.end(), std::uint64_t{0});
  if (sum == 0)
    return result;
  std::vector<std::pair<std::uint64_t, std::size_t>> remainders;
  auto left = waiting;
  for (std::size_t i = 0; i < most.size(); ++i) {
    auto product = std::uint64_t{waiting} * most[i];
    result[i] = static_cast<std::uint32_t>(product / sum);
    left -= result[i];
    remainders.emplace_back(product % sum, i);
  }
  std::stable_sort(remainders.begin(), remainders.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (std::size_t i = 0; i < left; ++i)
    ++result[remainders[i].second];
  return result;
}

} // namespace rolecall
