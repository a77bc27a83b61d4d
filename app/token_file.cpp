#include "app/token_file.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rolecall {

namespace {

constexpr std::chrono::milliseconds lock_timeout{10'000};
constexpr std::chrono::milliseconds lock_retry{20}; // flock knows no time limit

std::runtime_error failure(const std::string& what, const std::string& file) {
  return std::runtime_error{"cannot " + what + " " + file + ": " + std::strerror(errno)};
}

/// Writes a file that is not there yet, to the disk.
void write_new(const std::string& file, const std::string& text, const struct stat* like) {
  auto descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0)
    throw failure("write", file);
  auto kept = !like || (::fchown(descriptor, like->st_uid, like->st_gid) == 0 &&
                        ::fchmod(descriptor, like->st_mode & 0777) == 0);
  auto good = kept &&
              ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
              ::fsync(descriptor) == 0;
  auto failed =
      failure(kept ? "write" : "keep the owner and the mode of", file); // with the first errno
  if (::close(descriptor) != 0 || !good)
    throw failed;
}

/// A rename is on the disk once its directory is.
void sync_directory_of(const std::string& file) {
  auto parent = std::filesystem::absolute(file).parent_path();
  auto descriptor = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    return; // one may be allowed to write in a directory and not to read it
  ::fsync(descriptor);
  ::close(descriptor);
}

} // namespace

token_file_writer::token_file_writer(std::string file) : file_{std::move(file)} {
  auto name = file_ + ".lock";
  lock_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock_ < 0)
    throw failure("write", name);
  auto until = std::chrono::steady_clock::now() + lock_timeout;
  while (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(lock_retry);
      continue;
    }
    auto failed = failure("lock", name);
    ::close(lock_);
    throw failed;
  }
}

token_file_writer::~token_file_writer() {
  ::close(lock_);
}

void token_file_writer::replace(const std::string& text) const {
  auto fresh = file_ + ".new";
  ::unlink(fresh.c_str()); // of one that was killed: nobody else writes it while we have the lock
  try {
    struct stat before {};
    write_new(fresh, text, ::stat(file_.c_str(), &before) == 0 ? &before : nullptr);
    if (::rename(fresh.c_str(), file_.c_str()) != 0)
      throw failure("rename", fresh);
  } catch (...) {
    ::unlink(fresh.c_str());
    throw;
  }
  sync_directory_of(file_);
}

} // namespace rolecall
