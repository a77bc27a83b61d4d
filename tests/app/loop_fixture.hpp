#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <signal.h>

namespace rolecall::tests {

/// An event loop that the test itself runs, for as long as it takes for something to become true.
class test_loop {
public:
  boost::asio::io_context context{1};

  template <class Condition>
  bool run_until(Condition condition, std::chrono::seconds bound = std::chrono::seconds{60}) {
    auto deadline = std::chrono::steady_clock::now() + bound;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline)
        return false;
#if defined(__SANITIZE_THREAD__)
      // ThreadSanitizer puts a signal off that comes while no system call waits, and now and then
      // forgets it (as strace shows); then the end of a child would not be noticed.
      ::raise(SIGCHLD);
#endif
      context.run_one_for(std::chrono::milliseconds{10});
    }
    return true;
  }

private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context.get_executor()};
};

/// A folder that goes away with the test.
class temporary_folder {
public:
  temporary_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "rolecall-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream{path_ / name} << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream in{path_ / name};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  /// The pid that a command wrote with `echo PID > name`; 0 as long as the line is not whole.
  pid_t pid_in(const std::string& name) const {
    auto text = read(name);
    return text.ends_with('\n') ? std::stoi(text) : 0;
  }

private:
  std::filesystem::path path_;
};

/// Whether there is such a process; a zombie that nobody has reaped yet counts as gone.
inline bool is_alive(pid_t pid) {
  if (::kill(pid, 0) != 0)
    return false;
  std::ifstream in{"/proc/" + std::to_string(pid) + "/stat"};
  std::string stat{std::istreambuf_iterator<char>{in}, {}};
  auto name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.substr(name_end + 2, 1) != "Z";
}

} // namespace rolecall::tests
