#pragma once

#include "net/chunk_decoder.hpp"
#include "net/http.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace rolecall::net {

/// A request or a response as it was read. Which of the fields of the first line are set depends on
/// which of the two it is.
struct message {
  std::string method;
  std::string target;
  unsigned status{0};
  unsigned minor_version{1}; ///< of HTTP/1.x
  net::headers headers;      ///< without the trailer section of a chunked body, which is dropped
  std::string body;
};

/// Reads one HTTP/1.x message (RFC 9112) from pieces of any size.
///
/// Strict where leniency has been used for request smuggling: lines end in CRLF, no blank before a
/// header's colon, no folded lines, not both Content-Length and Transfer-Encoding, no lengths that
/// differ, no transfer coding but `chunked`. Not thread-safe; does no I/O.
class message_parser {
public:
  enum class kind { request, response };
  enum class progress {
    need_more,
    head_done, ///< told once, before the first byte of the body is read: feed on
    complete,
    failed
  };
  enum class error { none, malformed, bad_version, head_too_large, body_too_large };

  /// Bounds in bytes. The body's is for what is left when chunks have been decoded.
  message_parser(kind what, std::size_t max_head_bytes, std::size_t max_body_bytes)
      : kind_{what}, max_head_{max_head_bytes}, max_body_{max_body_bytes} {}

  /// To be called before the first byte: gives the body's bound for a message whose head has been
  /// read, in the place of `max_body_bytes`.
  void bound_body_by(std::function<std::size_t(const net::message&)> bound) {
    body_bound_ = std::move(bound);
  }

  /// To be called before the first byte: the response answers a HEAD request, so has no body.
  void expect_no_body() noexcept { no_body_ = true; }

  /// Reads from the front of `data`, which is left with what was not read. A head is read at once,
  /// so the caller keeps what is left and offers it again, with more, from its start.
  progress feed(std::string_view& data);

  /// The peer has closed in an orderly way: complete, if the body was to last until then.
  progress end_of_input();

  /// Whether anything of the message has been seen. Empty lines before a request do not count.
  bool started() const noexcept { return started_; }
  bool has_head() const noexcept { return state_ > state::head; }
  /// What was wrong, after `failed`.
  error failure() const noexcept { return error_; }
  const char* reason() const noexcept { return reason_; } ///< the same for people, never null

  /// Whether the sender agrees to keep the connection, and the message ends without closing it.
  /// After `complete`.
  bool keep_alive() const noexcept { return keep_alive_ && state_ == state::complete; }
  /// The same if the rest of the body comes as announced. After `head_done`.
  bool would_keep_alive() const noexcept { return keep_alive_ && state_ != state::until_eof; }

  /// The message, to be taken out after `complete` (its head may be looked at after `head_done`).
  net::message& message() noexcept { return message_; }

  /// What has come of the body since the last call, for whoever reads it piece by piece. The bound
  /// is for all pieces together.
  std::string take_body() { return std::exchange(message_.body, {}); }

private:
  enum class state { head, length, chunked, until_eof, complete };

  progress fail(error what, const char* reason);
  progress feed_head(std::string_view& data);
  progress feed_body(std::string_view& data);
  progress parse_head(std::string_view head);
  bool parse_request_line(std::string_view line);
  bool parse_status_line(std::string_view line);
  bool parse_version(std::string_view text);
  bool parse_field(std::string_view line);
  progress decide_framing();
  progress frame_by_length(bool chunked, bool has_length, std::uint64_t length);
  void decide_keep_alive();

  kind kind_;
  std::size_t max_head_;
  std::size_t max_body_;
  std::function<std::size_t(const net::message&)> body_bound_;
  bool no_body_{false};
  bool started_{false};
  bool keep_alive_{false};
  state state_{state::head};
  std::size_t scanned_{0}; ///< bytes of the head's beginning that have no end of it in them
  std::uint64_t left_{0};  ///< of a body with Content-Length
  std::size_t read_{0};    ///< of a body without chunks
  std::optional<chunk_decoder> chunks_; ///< of a chunked body
  error error_{error::none};
  const char* reason_{""};
  net::message message_;
};

} // namespace rolecall::net
