#pragma once

#include "app/api/stats.hpp"
#include "app/process_figures.hpp"
#include "messages/cluster.hpp"
#include "messages/tasks.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace rolecall::api {

/// The figures that Prometheus collects, named as its conventions say. Labels are bounded: of roles
/// the first few hundred have their own, the rest goes by "other".
class metrics {
public:
  metrics(const std::string& version, std::size_t max_tasks);
  ~metrics();

  void add(const task_event& event);
  void answered(const std::string& method, const std::string& route, unsigned status,
                std::chrono::steady_clock::duration took);
  /// A request was refused, for the reason with this code.
  void refused(const std::string& code);

  /// There is a journal, and whether it can be written to.
  void set_journal(bool writable);

  // What is not counted but looked at, for a collection.
  void set(const fleet_status& fleet, const routing_status& routing, const stats& counts);
  void set_readers(std::size_t count, std::uint64_t cut_off);
  void set(const process_figures& process);
  void set(const cluster_status& cluster);

  /// The text format, version 0.0.4.
  std::string text() const;

private:
  struct families;
  std::unique_ptr<families> all_;
};

} // namespace rolecall::api
