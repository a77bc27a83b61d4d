#include "net/message_parser.hpp"

#include "net/syntax.hpp"

#include <algorithm>
#include <charconv>

namespace rolecall::net {

message_parser::progress message_parser::fail(error what, const char* reason) {
  error_ = what;
  reason_ = reason;
  return progress::failed;
}

message_parser::progress message_parser::feed(std::string_view& data) {
  return state_ == state::head ? feed_head(data) : feed_body(data);
}

message_parser::progress message_parser::end_of_input() {
  if (state_ == state::complete)
    return progress::complete;
  if (state_ != state::until_eof)
    return fail(error::malformed, "the message ends too early");
  state_ = state::complete;
  return progress::complete;
}

message_parser::progress message_parser::feed_head(std::string_view& data) {
  // RFC 9112, 2.2: a server ignores empty lines before a request.
  while (kind_ == kind::request && !started_ && data.starts_with("\r\n"))
    data.remove_prefix(2);
  if (data.empty() || (!started_ && data == "\r"))
    return progress::need_more;
  started_ = true;
  // What can be no head is refused at once, not when its end does not come.
  static constexpr std::string_view name = "HTTP/1.";
  if (kind_ == kind::response && !name.starts_with(data.substr(0, name.size())))
    return fail(error::malformed, "this is not HTTP/1.x");
  if (kind_ == kind::request && !is_token_char(data.front()))
    return fail(error::malformed, "the request does not begin with a method");
  for (auto at = data.find('\n', scanned_); at != std::string_view::npos;
       at = data.find('\n', at + 1)) {
    if (at == 0 || data[at - 1] != '\r')
      return fail(error::malformed, "a line of the head does not end in CRLF");
    if (at + 1 > max_head_)
      break;
    if (at >= 3 && data[at - 2] == '\n') {
      auto head = data.substr(0, at - 1);
      data.remove_prefix(at + 1);
      return parse_head(head);
    }
  }
  if (data.size() >= max_head_)
    return fail(error::head_too_large, "the head is over the limit");
  scanned_ = data.size();
  return progress::need_more;
}

message_parser::progress message_parser::parse_head(std::string_view head) {
  auto next_line = [&head] {
    auto line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(line.size() + 2);
    return line;
  };
  auto first = next_line();
  auto good = kind_ == kind::request ? parse_request_line(first) : parse_status_line(first);
  if (!good)
    return error_ == error::none ? fail(error::malformed, "the first line is malformed")
                                 : progress::failed;
  message_.headers.reserve(8);
  while (!head.empty())
    if (!parse_field(next_line()))
      return fail(error::malformed, "a header is malformed");
  decide_keep_alive();
  return decide_framing();
}

bool message_parser::parse_version(std::string_view text) {
  if (text == "HTTP/1.1" || text == "HTTP/1.0") {
    message_.minor_version = text.back() == '1' ? 1 : 0;
    return true;
  }
  if (text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' &&
      is_digit(text[7]))
    fail(error::bad_version, "the version is neither HTTP/1.0 nor HTTP/1.1");
  return false;
}

bool message_parser::parse_request_line(std::string_view line) {
  auto first = line.find(' ');
  auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return false;
  auto method = line.substr(0, first);
  auto target = line.substr(first + 1, last - first - 1);
  auto visible = [](char c) { return c != ' ' && !is_control(c); };
  if (!is_token(method) || target.empty() || !std::all_of(target.begin(), target.end(), visible))
    return false;
  message_.method = method;
  message_.target = target;
  return parse_version(line.substr(last + 1));
}

bool message_parser::parse_status_line(std::string_view line) {
  if (!parse_version(line.substr(0, 8)) || line.size() < 12 || line[8] != ' ')
    return false;
  auto [end, wrong] = std::from_chars(line.data() + 9, line.data() + 12, message_.status);
  // Some servers leave out the blank after the code along with the reason.
  return wrong == std::errc{} && end == line.data() + 12 && message_.status >= 100 &&
         (line.size() == 12 || line[12] == ' ') && is_field_value(line);
}

bool message_parser::parse_field(std::string_view line) {
  auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    return false;
  auto value = trim(line.substr(colon + 1));
  if (!is_field_value(value))
    return false;
  message_.headers.push_back({std::string{line.substr(0, colon)}, std::string{value}});
  return true;
}

void message_parser::decide_keep_alive() {
  auto close = false;
  auto keep = false;
  for (const auto& [name, value] : message_.headers)
    if (same_without_case(name, "connection")) {
      close = close || list_contains(value, "close");
      keep = keep || list_contains(value, "keep-alive");
    }
  keep_alive_ = !close && (message_.minor_version == 1 || keep);
}

message_parser::progress message_parser::decide_framing() {
  auto chunked = false;
  auto has_length = false;
  std::uint64_t length = 0;
  for (const auto& [name, value] : message_.headers) {
    if (same_without_case(name, "transfer-encoding")) {
      if (chunked || !same_without_case(value, "chunked"))
        return fail(error::malformed, "the transfer encoding is not just chunked");
      chunked = true;
    } else if (same_without_case(name, "content-length")) {
      std::uint64_t number = 0;
      const auto* end = value.data() + value.size();
      auto [stop, wrong] = std::from_chars(value.data(), end, number);
      if (wrong != std::errc{} || stop != end)
        return fail(error::malformed, "the content length is not a number");
      if (has_length && number != length)
        return fail(error::malformed, "there are two different content lengths");
      has_length = true;
      length = number;
    }
  }
  if (chunked && has_length)
    return fail(error::malformed, "there are both a content length and a transfer encoding");
  if (chunked && kind_ == kind::request && message_.minor_version == 0)
    return fail(error::malformed, "an HTTP/1.0 request has a transfer encoding");
  return frame_by_length(chunked, has_length, length);
}

message_parser::progress message_parser::frame_by_length(bool chunked, bool has_length,
                                                         std::uint64_t length) {
  // RFC 9112, 6.3, in its order.
  if (body_bound_)
    max_body_ = body_bound_(message_);
  auto status = message_.status;
  auto bodiless =
      kind_ == kind::response && (no_body_ || status / 100 == 1 || status == 204 || status == 304);
  auto unframed_request = kind_ == kind::request && !chunked && !has_length;
  if (bodiless || unframed_request) {
    state_ = state::complete;
  } else if (chunked) {
    chunks_.emplace(max_body_, max_head_);
    state_ = state::chunked;
  } else if (has_length) {
    if (length > max_body_)
      return fail(error::body_too_large, "the body is over the limit");
    left_ = length;
    state_ = length == 0 ? state::complete : state::length;
    // The sender has announced the size but sent nothing yet: what it costs us is bounded.
    static constexpr std::uint64_t max_reserve = 256u << 10;
    message_.body.reserve(static_cast<std::size_t>(std::min(length, max_reserve)));
  } else {
    keep_alive_ = false;
    state_ = state::until_eof;
  }
  return state_ == state::complete ? progress::complete : progress::head_done;
}

message_parser::progress message_parser::feed_body(std::string_view& data) {
  if (state_ == state::complete)
    return progress::complete;
  if (state_ == state::chunked) {
    switch (chunks_->feed(data, message_.body)) {
    case chunk_decoder::progress::need_more: return progress::need_more;
    case chunk_decoder::progress::malformed: return fail(error::malformed, "a chunk is malformed");
    case chunk_decoder::progress::too_large:
      return fail(error::body_too_large, "the body is over the limit");
    case chunk_decoder::progress::complete: state_ = state::complete; return progress::complete;
    }
  }
  if (state_ == state::until_eof && data.size() > max_body_ - read_)
    return fail(error::body_too_large, "the body is over the limit");
  auto count = data.size();
  if (state_ == state::length)
    count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, count));
  message_.body.append(data.substr(0, count));
  data.remove_prefix(count);
  read_ += count;
  if (state_ == state::length && (left_ -= count) == 0)
    state_ = state::complete;
  return state_ == state::complete ? progress::complete : progress::need_more;
}

} // namespace rolecall::net
