#pragma once

namespace rolecall {

/// What the system knows of this process.
struct process_figures {
  double started_at_s{0}; ///< since 1970
  double resident_bytes{0};
  double open_descriptors{0};
  double cpu_s{0}; ///< in user and system mode
};

/// Reads them from /proc and getrusage; what cannot be read is 0.
process_figures read_process_figures();

/// Raises the soft limit of open files as far as the system lets us, up to 65,536.
void raise_descriptor_limit();

} // namespace rolecall
