#pragma once

/// What the exit code of `rolecall` says, whatever the sub command.
namespace rolecall::exit_codes {

inline constexpr int ok = 0;
inline constexpr int failure = 1;       ///< something went wrong on the way
inline constexpr int wrong_input = 2;   ///< the command line or a file cannot be used
inline constexpr int interrupted = 130; ///< ended by a signal, as shells say it

} // namespace rolecall::exit_codes
