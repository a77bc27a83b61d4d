#pragma once

#include <string>

namespace rolecall {

/// The right to change a token file; one process has it at a time, for as long as this lives. What
/// is read before it was taken may have been replaced since.
///
/// It is a lock on FILE.lock, which stays: FILE itself is replaced, and whoever waited for a lock
/// on it would get that of a file that is gone.
class token_file_writer {
public:
  /// Waits for others, for ten seconds at most. Throws `std::runtime_error` that says what is
  /// wrong.
  explicit token_file_writer(std::string file);
  ~token_file_writer();
  token_file_writer(const token_file_writer&) = delete;
  token_file_writer& operator=(const token_file_writer&) = delete;

  /// Writes the file anew, all of it or nothing: a node may read it meanwhile. Whoever could read
  /// it before still can; a new one is for its owner alone. Throws as above.
  void replace(const std::string& text) const;

private:
  std::string file_;
  int lock_;
};

} // namespace rolecall
