#pragma once

#include <sqlite3.h>

#include <atomic>
#include <string>

namespace rolecall::tests {

/// A virtual file system of SQLite's that passes everything on to the default one, and fails on
/// command where it writes: as a disk does that is full, or broken.
class failing_disk {
public:
  enum class fault { none, full, broken };

  failing_disk() {
    below_ = sqlite3_vfs_find(nullptr);
    vfs_ = *below_;
    vfs_.szOsFile = static_cast<int>(sizeof(file)) + below_->szOsFile;
    vfs_.zName = name.c_str();
    vfs_.pAppData = this;
    vfs_.xOpen = open;
    sqlite3_vfs_register(&vfs_, 0);
  }
  ~failing_disk() { sqlite3_vfs_unregister(&vfs_); }
  failing_disk(const failing_disk&) = delete;
  failing_disk& operator=(const failing_disk&) = delete;

  const std::string name{"failing"};
  std::atomic<fault> fails{fault::none};
  std::atomic<bool> fails_once{false}; ///< and is well again afterwards

private:
  struct file {
    sqlite3_file base;
    failing_disk* disk;
    sqlite3_io_methods methods;
    sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };

  static file& of(sqlite3_file* f) { return *reinterpret_cast<file*>(f); }

  int verdict() {
    auto how = fails_once ? fails.exchange(fault::none) : fails.load();
    return how == fault::full ? SQLITE_FULL : how == fault::broken ? SQLITE_IOERR_WRITE : SQLITE_OK;
  }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* f, int flags, int* out) {
    auto* disk = static_cast<failing_disk*>(vfs->pAppData);
    auto& mine = of(f);
    mine.base.pMethods = nullptr;
    auto result = disk->below_->xOpen(disk->below_, path, mine.below(), flags, out);
    if (result != SQLITE_OK)
      return result;
    mine.disk = disk;
    mine.methods = {
        3,
        [](sqlite3_file* x) { return below(x)->pMethods->xClose(below(x)); },
        [](sqlite3_file* x, void* to, int n, sqlite3_int64 at) {
          return below(x)->pMethods->xRead(below(x), to, n, at);
        },
        [](sqlite3_file* x, const void* from, int n, sqlite3_int64 at) {
          auto wrong = of(x).disk->verdict();
          return wrong != SQLITE_OK ? wrong : below(x)->pMethods->xWrite(below(x), from, n, at);
        },
        [](sqlite3_file* x, sqlite3_int64 n) { return below(x)->pMethods->xTruncate(below(x), n); },
        [](sqlite3_file* x, int how) {
          auto wrong = of(x).disk->verdict();
          return wrong != SQLITE_OK ? wrong : below(x)->pMethods->xSync(below(x), how);
        },
        [](sqlite3_file* x, sqlite3_int64* n) {
          return below(x)->pMethods->xFileSize(below(x), n);
        },
        [](sqlite3_file* x, int how) { return below(x)->pMethods->xLock(below(x), how); },
        [](sqlite3_file* x, int how) { return below(x)->pMethods->xUnlock(below(x), how); },
        [](sqlite3_file* x, int* is) {
          return below(x)->pMethods->xCheckReservedLock(below(x), is);
        },
        [](sqlite3_file* x, int what, void* about) {
          return below(x)->pMethods->xFileControl(below(x), what, about);
        },
        [](sqlite3_file* x) { return below(x)->pMethods->xSectorSize(below(x)); },
        [](sqlite3_file* x) { return below(x)->pMethods->xDeviceCharacteristics(below(x)); },
        [](sqlite3_file* x, int page, int size, int more, void volatile** to) {
          return below(x)->pMethods->xShmMap(below(x), page, size, more, to);
        },
        [](sqlite3_file* x, int from, int n, int how) {
          return below(x)->pMethods->xShmLock(below(x), from, n, how);
        },
        [](sqlite3_file* x) { below(x)->pMethods->xShmBarrier(below(x)); },
        [](sqlite3_file* x, int gone) { return below(x)->pMethods->xShmUnmap(below(x), gone); },
        [](sqlite3_file* x, sqlite3_int64 at, int n, void** to) {
          return below(x)->pMethods->xFetch(below(x), at, n, to);
        },
        [](sqlite3_file* x, sqlite3_int64 at, void* it) {
          return below(x)->pMethods->xUnfetch(below(x), at, it);
        },
    };
    mine.base.pMethods = &mine.methods;
    return SQLITE_OK;
  }

  static sqlite3_file* below(sqlite3_file* f) { return of(f).below(); }

  sqlite3_vfs* below_{nullptr};
  sqlite3_vfs vfs_{};
};

} // namespace rolecall::tests
