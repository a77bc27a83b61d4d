#include "net/frame_parser.hpp"

#include <algorithm>
#include <utility>

namespace rolecall::net {

void append_frame(std::string& out, std::string_view content) {
  auto length = static_cast<std::uint32_t>(content.size());
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(length >> shift & 0xff);
  out += content;
}

frame_parser::progress frame_parser::feed(std::string_view& data, std::size_t max_bytes) {
  if (head_size_ < frame_head_bytes) {
    for (; head_size_ < frame_head_bytes; ++head_size_, data.remove_prefix(1)) {
      if (data.empty())
        return progress::need_more;
      length_ = length_ << 8 | static_cast<unsigned char>(data.front());
    }
    if (length_ > max_bytes)
      return progress::too_large;
  }
  auto part = data.substr(0, std::min<std::size_t>(length_ - content_.size(), data.size()));
  content_ += part;
  data.remove_prefix(part.size());
  return content_.size() == length_ ? progress::frame : progress::need_more;
}

std::string frame_parser::take() {
  head_size_ = 0;
  length_ = 0;
  return std::exchange(content_, {});
}

} // namespace rolecall::net
