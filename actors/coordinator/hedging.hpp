#pragma once

#include "messages/basics.hpp"

#include <map>
#include <optional>
#include <vector>

namespace rolecall {

/// How long the latest attempts of one class of tasks took.
class run_times {
public:
  void add(micros run);
  /// What all but a twentieth stay under; none until enough have been seen to tell.
  std::optional<micros> p95() const { return p95_; }

private:
  std::vector<micros> latest_; // a ring
  std::size_t seen_{0};
  std::optional<micros> p95_;
};

/// When a second attempt is made beside one that is slow: after the 95th percentile of its class,
/// for no more than a share of the tasks ("The Tail at Scale", Dean and Barroso 2013). Pure.
class hedge_rules {
public:
  /// `share`: hedges that may be made for each first attempt, 0 to 1.
  explicit hedge_rules(double share) : share_{share} {}

  void first_attempt();
  void ran(const std::string& task_class, micros run);
  /// After which time an attempt is slow; none if that is not known.
  std::optional<micros> delay(const std::string& task_class) const;
  /// Whether there is one to be had, and takes it.
  bool available() const { return balance_ >= 1; }
  void take() { balance_ -= 1; }

private:
  double share_;
  double balance_{0};
  std::map<std::string, run_times> classes_; // bounded: past that many, all others are one
};

} // namespace rolecall
