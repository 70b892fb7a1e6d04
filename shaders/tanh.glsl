// SPDX-License-Identifier: GPL-3.0-or-later
// tanh, 1 beyond 10, where some drivers make it ∞/∞. What is no number stays none.
float bounded_tanh (float x)
{
  return abs (x) > 10.0 ? sign (x) : tanh (x);
}
