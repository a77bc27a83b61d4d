#include "app/simulate/scenario.hpp"

#include <algorithm>

namespace rolecall::lab {

std::optional<double> agent_model::factor(const std::vector<std::string>& needed) const {
  double least = 1;
  for (const auto& skill : needed) {
    auto found = skills.find(skill);
    if (found == skills.end())
      return std::nullopt;
    least = std::min(least, found->second);
  }
  return least > 0 ? std::optional{1 / least} : std::nullopt;
}

double agent_model::speed_at(double at_s) const {
  auto factor = 1.0;
  for (const auto& p : phases)
    if (p.from_s <= at_s)
      factor = p.how == condition::healthy ? p.speed : 0;
  return speed * factor;
}

} // namespace rolecall::lab
