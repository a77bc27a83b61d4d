#pragma once

#include <cstdint>
#include <vector>

namespace rolecall {

/// How many attempts an agent gets at the same time where its service names no limit: as many as
/// give it the most power, which is its throughput over the time that an attempt takes (Giessler et
/// al. 1978, Kleinrock 1979). That is the knee: where one attempt more no longer pays. An agent
/// that gets slower in proportion gives the most at one; one that never gets slower, at all.
///
/// It is found by trying: the limits are steps of about √2 from 1. First it is doubled as long as
/// power grows; then a step up or down is tried now and then, and kept if it is
/// better. Compared are means of the logarithm of what attempts took, over as many attempts as
/// their spread asks for. Only neighbours are compared, soon after each other: that tasks have
/// become longer is not mistaken for long for an agent that has become slower.
///
/// Why not Gradient2 (Netflix): what it compares with, the time over many attempts, rises with an
/// overload that lasts, and its limit with it, up to the most that it may be.
class adaptive_limit {
public:
  explicit adaptive_limit(std::uint32_t most = 64) { set_most(most); }

  /// Begins with what others of its kind have learnt, instead of with 1.
  void begin_at(double limit);
  /// An attempt has completed after so many microseconds; so many were in flight, itself included.
  void completed(double micros, std::uint32_t in_flight);
  /// The agent has said that so many are too many, or did not answer in time.
  void refused(std::uint32_t in_flight);
  void set_most(std::uint32_t most);

  /// At least 1.
  std::uint32_t limit() const noexcept { return limit_; }
  /// Whether it has found where more is not better, or was told so.
  bool learnt() const noexcept { return !climbing_; }
  /// Its limit in the mean of late, without the steps that are only tried. Means nothing before it
  /// has learnt.
  double settled() const noexcept { return settled_; }

private:
  struct step {
    double log_mean{0}; // of microseconds
    std::uint32_t samples{0};
    bool refused{false}; // the last time that it was tried
  };

  std::uint32_t limit_of(std::size_t step) const;
  double power(std::size_t step) const;
  bool measured(std::size_t step) const;
  bool promises_more() const;
  void decide();
  void climb();
  void go(std::size_t step);
  void go_back();
  bool is_late();

  std::uint32_t most_{64};
  std::vector<step> steps_{1}; // up to `most_`; longer as they are tried
  std::size_t at_{0};
  std::size_t from_{0}; // the step before
  std::uint32_t limit_{1};
  std::uint32_t skip_{0};     // attempts that were begun under another limit
  std::uint32_t seen_{0};     // attempts since the last decision
  double variance_{0.25};     // of the logarithm of what an attempt takes
  bool climbing_{true};       // from the first step
  bool trying_{false};        // a step up
  bool down_next_{false};     // of the steps that are tried in turns
  std::uint32_t calm_{0};     // decisions to stay, since the last step
  std::uint32_t patience_{2}; // of them until a step is tried
  double settled_{1};
};

} // namespace rolecall
