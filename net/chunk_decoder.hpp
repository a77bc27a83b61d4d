#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rolecall::net {

/// Decodes the chunked transfer coding (RFC 9112, 7.1) from pieces of any size. Keeps no input:
/// extensions and trailer fields are checked for their form, bounded, and thrown away.
class chunk_decoder {
public:
  enum class progress { need_more, complete, malformed, too_large };

  /// `max_body_bytes` bounds all that is decoded, `max_trailer_bytes` the trailer section.
  chunk_decoder(std::size_t max_body_bytes, std::size_t max_trailer_bytes)
      : max_body_{max_body_bytes}, max_trailer_{max_trailer_bytes} {}

  /// Reads from the front of `data`, which is left with what was not read, and appends to `body`.
  /// A chunk that would make the body too large is refused by its header.
  progress feed(std::string_view& data, std::string& body);

private:
  enum class state {
    size,         ///< in the digits of a chunk's size
    extension,    ///< between the size and the end of its line
    size_lf,      ///< before the LF of the size's line
    data,         ///< in the bytes of a chunk
    data_cr,      ///< before the CR after them
    data_lf,      ///< before the LF after them
    trailer,      ///< at the start of a line of the trailer section
    trailer_line, ///< in such a line
    trailer_lf,   ///< before the LF that ends such a line
    last_lf       ///< before the LF of the empty line that ends it all
  };

  progress step(char c);
  progress step_size(char c);

  /// For one chunk's extensions, in bytes: nobody sends any, but somebody may send them for ever.
  static constexpr std::size_t max_extension_bytes = 1024;

  std::size_t max_body_;
  std::size_t max_trailer_;
  state state_{state::size};
  std::uint64_t left_{0};    ///< of the chunk: its size while that is read, then what is to come
  std::uint64_t decoded_{0}; ///< of the body, so far
  std::size_t digits_{0};    ///< of the size's line, read so far
  std::size_t extension_bytes_{0}; ///< of the size's line, read so far
  std::size_t trailer_bytes_{0};
};

} // namespace rolecall::net
