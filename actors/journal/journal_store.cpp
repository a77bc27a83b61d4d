#include "actors/journal/journal_store.hpp"

#include "actors/journal/entry_codec.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unordered_map>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace rolecall {

namespace {

constexpr int schema_version = 1;
constexpr int application_id = 0x726f6c65; // "role": what makes a database file a journal of ours
constexpr int busy_timeout_ms = 5'000;     // readers hold nothing up in WAL mode, but for moments

/// Each of them brings a file from the version that is its index to the next one.
constexpr std::array<const char*, schema_version> migrations{
    // Payloads stand in columns of their own: they are neither parsed nor copied. What changes
    // stands apart from what does not: an input is written once.
    "CREATE TABLE task (number INTEGER PRIMARY KEY, about TEXT NOT NULL, input TEXT NOT NULL);"
    "CREATE TABLE progress (number INTEGER PRIMARY KEY, about TEXT NOT NULL, output TEXT);"
    // One row. Whoever has seen an event of a time before there was this journal may have missed
    // some: its first value is the time, in the unit of the numbers of events.
    "CREATE TABLE forgotten (event INTEGER NOT NULL);"
    "INSERT INTO forgotten SELECT 1000000 * CAST(strftime('%s') AS INTEGER);",
};

std::string damaged(const std::filesystem::path& file, const std::string& how) {
  return "the journal " + file.string() + " is damaged (" + how +
         "); nothing of it was changed. Restore a copy, or save what \"sqlite3 " + file.string() +
         " .dump\" can still read (docs/operating.md says how); to start anew, move the file away";
}

std::string describe(const std::filesystem::path& file, const SQLite::Exception& error) {
  auto code = error.getErrorCode() & 0xff;
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
    return damaged(file, error.what());
  auto text = "the journal " + file.string() + ": " + error.what();
  if (code == SQLITE_FULL)
    return text + "; make room on its disk";
  if (code == SQLITE_READONLY || code == SQLITE_CANTOPEN || code == SQLITE_PERM)
    return text + "; its folder and the file must be writable";
  return text;
}

std::int64_t pragma(SQLite::Database& db, const std::string& name) {
  return db.execAndGet("PRAGMA " + name).getInt64();
}

std::string with_number(const std::string& text, std::int64_t number) {
  return text + std::to_string(number);
}

/// A file that is new comes to be at once and whole: under its name there is never a part of one.
void create(const std::filesystem::path& file, const std::string& vfs) {
  auto draft = file;
  draft += ".new";
  std::filesystem::remove(draft);
  {
    SQLite::Database db{draft.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE,
                        busy_timeout_ms, vfs};
    db.exec(with_number("PRAGMA application_id = ", application_id));
    db.exec("PRAGMA journal_mode = WAL");
  }
  using std::filesystem::perms;
  std::filesystem::permissions(draft, perms::owner_read | perms::owner_write); // it has payloads
  std::filesystem::rename(draft, file);
}

/// What a name stands for in the end: there is one lock for a journal, whatever links lead to it.
std::filesystem::path target_of(std::filesystem::path name) {
  constexpr int max_links = 40; // as the kernel has it
  std::error_code error;
  for (int i = 0; i < max_links && std::filesystem::is_symlink(name, error); ++i) {
    auto target = std::filesystem::read_symlink(name, error);
    name = target.is_absolute() ? target : name.parent_path() / target;
  }
  return name;
}

void migrate(SQLite::Database& db, const std::filesystem::path& file) {
  auto version = pragma(db, "user_version");
  if (version > schema_version)
    throw std::runtime_error{"the journal " + file.string() + " was written by a newer rolecall (" +
                             std::to_string(version) + ", this one knows " +
                             std::to_string(schema_version) + "); use that one"};
  for (; version < schema_version; ++version) {
    SQLite::Transaction step{db};
    db.exec(migrations.at(static_cast<std::size_t>(version)));
    db.exec(with_number("PRAGMA user_version = ", version + 1));
    step.commit();
  }
}

} // namespace

struct journal_store::connection {
  connection(const std::filesystem::path& file, int flags, const std::string& vfs)
      : db{file.string(), flags, busy_timeout_ms, vfs} {}

  SQLite::Statement& prepared(std::optional<SQLite::Statement>& statement, const char* text) {
    if (!statement)
      statement.emplace(db, text);
    else
      statement->reset();
    return *statement;
  }

  SQLite::Database db;
  std::optional<SQLite::Statement> accept;
  std::optional<SQLite::Statement> advance;
  std::optional<SQLite::Statement> forget_task;
  std::optional<SQLite::Statement> forget_progress;
  std::optional<SQLite::Statement> forget_event;
};

journal_store::journal_store(std::filesystem::path file, std::string vfs)
    : file_{std::move(file)}, vfs_{std::move(vfs)} {}

journal_store::~journal_store() {
  connection_.reset(); // before the lock goes
  if (lock_ >= 0)
    ::close(lock_);
}

std::variant<std::unique_ptr<journal_store>, journal_store::problem>
journal_store::open(const std::filesystem::path& name, access how, const std::string& vfs) {
  auto file = target_of(name);
  std::unique_ptr<journal_store> store{new journal_store{file, vfs}};
  std::error_code ignored;
  if (std::filesystem::is_symlink(file, ignored))
    return problem{"the journal " + name.string() + " is a link that leads around; name a file"};
  if (std::filesystem::is_directory(file, ignored))
    return problem{"the journal " + file.string() + " is a directory; name a file"};
  auto exists = std::filesystem::exists(file, ignored);
  if (exists && std::filesystem::file_size(file, ignored) == 0)
    return problem{"the journal " + file.string() +
                   " is damaged (it is empty, and no journal ever is). Restore a copy; to start "
                   "anew, move the file away"};
  if (how == access::write) {
    auto lock = file.string() + ".lock";
    store->lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_ < 0)
      return problem{"cannot write " + lock + ": " + std::strerror(errno) +
                     "; the journal needs a folder that can be written (--journal FILE, or "
                     "journal.path of the configuration)"};
    if (::flock(store->lock_, LOCK_EX | LOCK_NB) != 0)
      return problem{"the journal " + file.string() +
                     " is in use by another process; each node needs a journal of its own "
                     "(--journal FILE, or journal.path of the configuration)"};
  } else if (!exists) {
    return problem{"there is no journal " + file.string()};
  }
  try {
    if (!exists)
      create(file, vfs);
    store->connect(how);
    auto& db = store->connection_->db;
    if (pragma(db, "application_id") != application_id)
      return problem{file.string() + " is a database, but no journal of rolecall; name another "
                                     "file, or one that does not exist yet"};
    if (how == access::write) {
      auto verdict = db.execAndGet("PRAGMA quick_check(1)").getString();
      if (verdict != "ok")
        return problem{damaged(file, verdict)};
      migrate(db, file);
    }
  } catch (const SQLite::Exception& error) {
    return problem{describe(file, error)};
  } catch (const std::exception& error) {
    return problem{error.what()};
  }
  return store;
}

void journal_store::connect(access how) {
  auto flags = how == access::read ? SQLite::OPEN_READONLY : SQLite::OPEN_READWRITE;
  auto fresh = std::make_unique<connection>(file_, flags, vfs_);
  if (how == access::write) {
    fresh->db.exec("PRAGMA journal_mode = WAL");
    fresh->db.exec("PRAGMA synchronous = FULL");
  }
  connection_ = std::move(fresh);
}

std::optional<journal_store::problem>
journal_store::read(const std::function<void(journal_entry&&)>& tell) {
  try {
    SQLite::Statement rows{connection_->db,
                           "SELECT task.number, task.about, input, progress.about, output "
                           "FROM task LEFT JOIN progress USING (number) ORDER BY task.number"};
    while (rows.executeStep()) {
      journal_entry entry;
      auto text = [&](int column) {
        auto value = rows.getColumn(column);
        return std::string{value.getText(), static_cast<std::size_t>(value.getBytes())};
      };
      auto fine = decode_accepted(text(1), entry);
      entry.record.edit().number = static_cast<std::uint64_t>(rows.getColumn(0).getInt64());
      if (!rows.isColumnNull(2) && !text(2).empty())
        entry.spec.edit().input = json_text{text(2)};
      if (!rows.isColumnNull(3))
        fine = fine && decode_progress(text(3), entry);
      if (!rows.isColumnNull(4))
        entry.record.edit().output = json_text{text(4)};
      if (!fine)
        return problem{damaged(file_, "task number " + std::to_string(entry.record->number) +
                                          " cannot be read")};
      tell(std::move(entry));
    }
  } catch (const SQLite::Exception& error) {
    return problem{describe(file_, error)};
  }
  return std::nullopt;
}

std::variant<journal_content, journal_store::problem> journal_store::read_all() {
  journal_content result;
  auto wrong = read([&](journal_entry&& entry) { result.entries.push_back(std::move(entry)); });
  if (wrong)
    return *wrong;
  try {
    auto event = connection_->db.execAndGet("SELECT max(event) FROM forgotten").getInt64();
    result.forgotten_event = static_cast<std::uint64_t>(event);
  } catch (const SQLite::Exception& error) {
    return problem{describe(file_, error)};
  }
  return result;
}

std::optional<journal_store::problem>
journal_store::commit(const std::vector<journal_append>& appends) {
  try {
    if (!connection_)
      connect(access::write);
    SQLite::Transaction all{connection_->db, SQLite::TransactionBehavior::IMMEDIATE};
    write(appends);
    all.commit();
    return std::nullopt;
  } catch (const SQLite::Exception& error) {
    problem why{describe(file_, error)};
    // After an error of the disk nobody knows what a connection still believes of the file.
    connection_.reset();
    return why;
  }
}

void journal_store::write(const std::vector<journal_append>& appends) {
  std::unordered_map<std::uint64_t, const journal_entry*> progress; // the latest of each task
  for (const auto& append : appends)
    if (!append.acceptance)
      for (const auto& entry : append.entries)
        progress[entry.record->number] = &entry;
  auto& c = *connection_;
  auto payload = [](SQLite::Statement& statement, int index, const json_text& text) {
    statement.bindNoCopy(index, text.str());
  };
  for (const auto& append : appends) {
    for (const auto& entry : append.entries) {
      auto number = static_cast<std::int64_t>(entry.record->number);
      if (append.acceptance) {
        auto about = encode_accepted(entry);
        auto& statement = c.prepared(c.accept, "INSERT INTO task VALUES (?, ?, ?)");
        statement.bind(1, number);
        statement.bindNoCopy(2, about);
        payload(statement, 3, entry.spec->input);
        statement.exec();
      } else if (progress.at(entry.record->number) == &entry) {
        auto about = encode_progress(entry);
        auto& statement = c.prepared(c.advance, "INSERT OR REPLACE INTO progress VALUES (?, ?, ?)");
        statement.bind(1, number);
        statement.bindNoCopy(2, about);
        if (entry.record->output.empty())
          statement.bind(3);
        else
          payload(statement, 3, entry.record->output);
        statement.exec();
      }
    }
  }
  // Last: a task may have changed and been forgotten in the same transaction.
  for (const auto& append : appends) {
    for (auto number : append.forgotten) {
      auto& task = c.prepared(c.forget_task, "DELETE FROM task WHERE number = ?");
      task.bind(1, static_cast<std::int64_t>(number));
      task.exec();
      auto& rest = c.prepared(c.forget_progress, "DELETE FROM progress WHERE number = ?");
      rest.bind(1, static_cast<std::int64_t>(number));
      rest.exec();
    }
    if (append.forgotten.empty())
      continue;
    auto& event = c.prepared(c.forget_event, "UPDATE forgotten SET event = max(event, ?)");
    event.bind(1, static_cast<std::int64_t>(append.forgotten_event));
    event.exec();
  }
}

} // namespace rolecall
