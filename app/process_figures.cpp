#include "app/process_figures.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace rolecall {

namespace {

double cpu_seconds() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0)
    return 0;
  auto in_seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return in_seconds(usage.ru_utime) + in_seconds(usage.ru_stime);
}

double boot_time() {
  std::ifstream in{"/proc/stat"};
  for (std::string word; in >> word;)
    if (word == "btime") {
      double seconds = 0;
      in >> seconds;
      return seconds;
    }
  return 0;
}

/// The 22nd field of /proc/self/stat: when the process started, in clock ticks since the boot.
double start_ticks() {
  std::ifstream in{"/proc/self/stat"};
  std::string text;
  std::getline(in, text);
  auto after_name = text.rfind(')'); // the name itself may have blanks
  if (after_name == std::string::npos)
    return 0;
  auto at = after_name + 1;
  for (int field = 2; field < 21 && at != std::string::npos; ++field)
    at = text.find(' ', at + 1);
  return at == std::string::npos ? 0 : std::atof(text.c_str() + at);
}

} // namespace

process_figures read_process_figures() {
  process_figures result;
  std::ifstream memory{"/proc/self/statm"};
  double total = 0;
  double resident = 0;
  if (memory >> total >> resident)
    result.resident_bytes = resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
  std::error_code error;
  for (std::filesystem::directory_iterator at{"/proc/self/fd", error}, end; !error && at != end;
       at.increment(error))
    result.open_descriptors += 1;
  result.cpu_s = cpu_seconds();
  static const double started =
      boot_time() + start_ticks() / static_cast<double>(::sysconf(_SC_CLK_TCK));
  result.started_at_s = started;
  return result;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, 65'536));
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace rolecall
