#pragma once

#include "messages/agents.hpp"
#include "messages/attempts.hpp"
#include "messages/health.hpp"
#include "messages/placements.hpp"
#include "messages/tasks.hpp"

/// What the actors' messages carry. Plain values: no behaviour, equal if all members are equal.
