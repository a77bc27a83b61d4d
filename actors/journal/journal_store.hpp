#pragma once

#include "messages/journal.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace rolecall {

/// Tasks in a file: SQLite in WAL mode with synchronous=FULL, so that what `commit` has written
/// survives a crash and a loss of power. Used by one thread at a time. Includes no CAF.
///
/// While it is open for writing no other process can open the file for writing: a lock on the file
/// beside it, named `.lock`, sees to that.
class journal_store {
public:
  struct problem {
    std::string message; ///< what is wrong with which file, and what to do
  };
  enum class access {
    write, ///< the file is created if it is not there
    read,  ///< also while another process writes
  };

  /// `vfs` names one of SQLite's virtual file systems; empty: its own. The journal is checked as a
  /// whole: one that is damaged, or of another program, or of a newer version is a problem, and is
  /// left as it is.
  static std::variant<std::unique_ptr<journal_store>, problem>
  open(const std::filesystem::path& file, access how, const std::string& vfs = {});

  ~journal_store();
  journal_store(const journal_store&) = delete;
  journal_store& operator=(const journal_store&) = delete;

  /// Every task, in the order of their numbers. Gives what is wrong if something cannot be read.
  std::optional<problem> read(const std::function<void(journal_entry&&)>& tell);

  /// Everything.
  std::variant<journal_content, problem> read_all();

  /// Puts all of this on disk or, on an error, nothing of it. Of several entries of progress of one
  /// task the last one counts.
  std::optional<problem> commit(const std::vector<journal_append>& appends);

private:
  struct connection;

  journal_store(std::filesystem::path file, std::string vfs);
  void connect(access how);
  void write(const std::vector<journal_append>& appends);

  std::filesystem::path file_;
  std::string vfs_;
  int lock_{-1};
  std::unique_ptr<connection> connection_; // null after an error, until the next commit
};

} // namespace rolecall
