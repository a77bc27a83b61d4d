#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rolecall::net {

/// Every frame starts with the length of its content: four bytes, big endian.
constexpr std::size_t frame_head_bytes = 4;

/// Appends a frame to `out`. The content is shorter than 4 GiB.
void append_frame(std::string& out, std::string_view content);

/// Takes frames out of a stream of bytes. Memory is taken for what has come of a frame, not for
/// what its head announces.
class frame_parser {
public:
  enum class progress {
    need_more,
    frame,    ///< one is complete: `take` gives it, before the next `feed`
    too_large ///< one is announced that is over the limit: the stream is of no use any more
  };

  /// Takes bytes from the front of `data`, up to the end of a frame at most. `max_bytes` of content
  /// is allowed in a frame whose head is completed here.
  progress feed(std::string_view& data, std::size_t max_bytes);

  std::string take();

  /// What the present frame's head says; only once that is complete.
  std::uint32_t announced() const noexcept { return length_; }

  /// Whether there is part of a frame.
  bool inside() const noexcept { return head_size_ > 0; }

private:
  std::size_t head_size_{0}; ///< bytes of the head that have come
  std::uint32_t length_{0};
  std::string content_; ///< what has come of it
};

} // namespace rolecall::net
