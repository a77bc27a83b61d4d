#pragma once

#include <cstdint>
#include <vector>

namespace rolecall {

/// Whose manager is to get agents for how many of `waiting` tasks, in proportion to `most`, the
/// agents that each may have of the role (largest remainders; of equal ones the first). The sum is
/// `waiting`, unless nobody may have any.
std::vector<std::uint32_t> split_demand(std::uint32_t waiting,
                                        const std::vector<std::uint32_t>& most);

} // namespace rolecall
