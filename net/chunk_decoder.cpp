#include "net/chunk_decoder.hpp"

#include "net/syntax.hpp"

#include <algorithm>
#include <charconv>

namespace rolecall::net {

chunk_decoder::progress chunk_decoder::feed(std::string_view& data, std::string& body) {
  while (!data.empty()) {
    if (state_ == state::data) {
      auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, data.size()));
      body.append(data.substr(0, count));
      data.remove_prefix(count);
      left_ -= count;
      decoded_ += count;
      if (left_ == 0)
        state_ = state::data_cr;
      continue;
    }
    auto c = data.front();
    data.remove_prefix(1);
    if (auto result = step(c); result != progress::need_more)
      return result;
  }
  return progress::need_more;
}

chunk_decoder::progress chunk_decoder::step(char c) {
  auto expect = [&](char wanted, state next) {
    state_ = next;
    return c == wanted ? progress::need_more : progress::malformed;
  };
  switch (state_) {
  case state::size: return step_size(c);
  case state::extension:
    if (c == '\r')
      return expect('\r', state::size_lf);
    if (is_control(c) && c != '\t')
      return progress::malformed;
    return ++extension_bytes_ > max_extension_bytes ? progress::malformed : progress::need_more;
  case state::size_lf: return expect('\n', left_ == 0 ? state::trailer : state::data);
  case state::data_cr: return expect('\r', state::data_lf);
  case state::data_lf:
    digits_ = 0;
    extension_bytes_ = 0;
    return expect('\n', state::size);
  case state::trailer:
    if (c == '\r')
      return expect('\r', state::last_lf);
    if (!is_token_char(c))
      return progress::malformed;
    state_ = state::trailer_line;
    return ++trailer_bytes_ > max_trailer_ ? progress::malformed : progress::need_more;
  case state::trailer_line:
    if (c == '\r')
      return expect('\r', state::trailer_lf);
    if (is_control(c) && c != '\t')
      return progress::malformed;
    return ++trailer_bytes_ > max_trailer_ ? progress::malformed : progress::need_more;
  case state::trailer_lf: return expect('\n', state::trailer);
  case state::last_lf: return c == '\n' ? progress::complete : progress::malformed;
  case state::data: break;
  }
  return progress::malformed;
}

chunk_decoder::progress chunk_decoder::step_size(char c) {
  unsigned digit = 0;
  auto [end, error] = std::from_chars(&c, &c + 1, digit, 16);
  if (error == std::errc{} && end == &c + 1) {
    // Sixteen digits fill 64 bits, so the shift loses nothing.
    left_ = left_ << 4 | digit;
    return ++digits_ > 16 ? progress::malformed : progress::need_more;
  }
  if (digits_ == 0)
    return progress::malformed;
  if (left_ > max_body_ - decoded_)
    return progress::too_large;
  if (c == '\r')
    state_ = state::size_lf;
  else if (c == ';' || c == ' ' || c == '\t')
    state_ = state::extension;
  else
    return progress::malformed;
  return progress::need_more;
}

} // namespace rolecall::net
