#include "messages/interfaces.hpp"

#include <caf/actor_system_config.hpp>

namespace rolecall {

void add_messages(caf::actor_system_config& config) {
  config.add_message_types<caf::id_block::rolecall_values>();
  config.add_message_types<caf::id_block::rolecall_handles>();
  // The overload that takes the enum as a template argument does not compile in CAF 0.17.6.
  config.add_error_category(caf::atom("rolecall"),
                            [](std::uint8_t code, caf::atom_value, const caf::message& context) {
                              auto text = to_string(static_cast<ec>(code));
                              return context.empty() ? text : text + caf::to_string(context);
                            });
}

failure to_failure(const caf::error& error) {
  if (error.category() != caf::atom("rolecall"))
    return {ec::timeout, "the node did not get to it in time"};
  auto kind = static_cast<ec>(error.code());
  const auto& context = error.context();
  return {kind, context.match_elements<std::string>() ? context.get_as<std::string>(0) : ""};
}

} // namespace rolecall
