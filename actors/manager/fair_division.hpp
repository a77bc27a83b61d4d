#pragma once

#include <cstdint>
#include <vector>

namespace rolecall {

/// What somebody must get of something that is divided, and the most that is of use to him.
struct share_claim {
  std::uint32_t least{0};
  std::uint32_t wanted{0}; ///< less than `least` counts as `least`
};

/// Max-min fair division: nobody gets more than he wants, and nobody could get more without taking
/// it from somebody who has no more than he (Bertsekas and Gallager, "Data Networks", 6.5.2). What
/// does not divide goes to the first ones. If the least alone are more than the total, each gets
/// his least.
std::vector<std::uint32_t> divide_fairly(std::uint32_t total,
                                         const std::vector<share_claim>& claims);

} // namespace rolecall
