/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which type a mixture gives to which tensor.
 */
#include "lk-family.h"
#include "lk-gguf-recipe.h"

/* The table of llama-quantize's choices. */
static void
test_recipes (void)
{
  LkFamily family = { .name = "x" };
  LkModelConfig config = { .family = &family, .layers = 16, .tied = TRUE };
  LkVariable wide = { .rows = 8, .cols = 512 }, odd = { .rows = 8, .cols = 576 },
             strange = { .rows = 8, .cols = 100 }, norm = { .rows = 1, .cols = 512 };
  static const struct
  {
    const char *recipe, *name;
    gint layer, role;
    guint shape;
    LkType type;
  } cases[] = {
    { "F32", "blk.0.attn_q.weight", 0, LK_LINEAR_Q, 0, LK_TYPE_F32 },
    { "F16", "blk.0.attn_norm.weight", 0, -1, 3, LK_TYPE_F32 },
    { "Q8_0", "token_embd.weight", -1, -1, 0, LK_TYPE_Q8_0 },
    { "Q4_0", "token_embd.weight", -1, -1, 0, LK_TYPE_Q6_K },
    { "Q4_0", "token_embd.weight", -1, -1, 1, LK_TYPE_Q8_0 },
    { "Q4_1", "blk.3.ffn_down.weight", 3, LK_LINEAR_DOWN, 1, LK_TYPE_Q4_1 },
    { "Q4_1", "blk.3.ffn_down.weight", 3, LK_LINEAR_DOWN, 2, LK_TYPE_F16 },
    { "Q4_K_M", "blk.0.attn_v.weight", 0, LK_LINEAR_V, 0, LK_TYPE_Q6_K },
    { "Q4_K_M", "blk.2.attn_v.weight", 2, LK_LINEAR_V, 0, LK_TYPE_Q4_K },
    { "Q4_K_M", "blk.4.ffn_down.weight", 4, LK_LINEAR_DOWN, 0, LK_TYPE_Q6_K },
    { "Q4_K_M", "blk.14.ffn_down.weight", 14, LK_LINEAR_DOWN, 0, LK_TYPE_Q6_K },
    { "Q4_K_M", "blk.14.ffn_up.weight", 14, LK_LINEAR_UP, 0, LK_TYPE_Q4_K },
    { "Q4_K_M", "blk.2.attn_q.weight", 2, LK_LINEAR_Q, 1, LK_TYPE_Q5_0 },
    { "Q5_K_M", "blk.2.attn_q.weight", 2, LK_LINEAR_Q, 1, LK_TYPE_Q5_1 },
    { "Q4_K_S", "blk.3.attn_v.weight", 3, LK_LINEAR_V, 0, LK_TYPE_Q5_K },
    { "Q4_K_S", "blk.4.attn_v.weight", 4, LK_LINEAR_V, 0, LK_TYPE_Q4_K },
    { "Q4_K_M", "blk.2.attn_qkv.weight", 2, LK_LINEAR_QKV, 0, LK_TYPE_Q4_K },
    { "Q4_K_M", "blk.4.attn_qkv.weight", 4, LK_LINEAR_QKV, 0, LK_TYPE_Q6_K },
    { "Q5_K_M", "blk.2.attn_qkv.weight", 2, LK_LINEAR_QKV, 0, LK_TYPE_Q5_K },
    { "Q5_K_M", "blk.15.attn_qkv.weight", 15, LK_LINEAR_QKV, 0, LK_TYPE_Q6_K },
    { "Q4_K_S", "blk.3.attn_qkv.weight", 3, LK_LINEAR_QKV, 0, LK_TYPE_Q5_K },
    { "Q4_K_S", "blk.4.attn_qkv.weight", 4, LK_LINEAR_QKV, 0, LK_TYPE_Q4_K },
    { "q6_k", "blk.0.attn_q.weight", 0, LK_LINEAR_Q, 1, LK_TYPE_Q8_0 },
  };
  LkVariable *const shapes[] = { &wide, &odd, &strange, &norm };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      LkModelTensor tensor
          = { NULL, (char *) cases[i].name, shapes[cases[i].shape], cases[i].layer, cases[i].role };

      g_test_message ("%s of %s", cases[i].name, cases[i].recipe);
      g_assert_cmpint (lk_gguf_recipe_type (lk_gguf_recipe_find (cases[i].recipe), &config, &tensor), ==,
                       cases[i].type);
    }
  g_assert_null (lk_gguf_recipe_find ("Q4"));
}

/* Models of 70 billion weights: layers that would get Q4_K of v get Q5_K, in both mixtures that have it. */
static void
test_recipe_70b (void)
{
  LkVariable wide = { .rows = 1024, .cols = 8192 }, odd = { .rows = 1024, .cols = 8160 };
  static const struct
  {
    const char *architecture;
    gint64 layers, heads, kv_heads;
    const char *recipe;
    gint layer, role;
    gboolean odd;
    LkType type;
  } cases[] = {
    { "llama", 80, 64, 8, "Q4_K_M", 9, LK_LINEAR_V, FALSE, LK_TYPE_Q6_K }, /* first eighth */
    { "llama", 80, 64, 8, "Q4_K_M", 10, LK_LINEAR_V, FALSE, LK_TYPE_Q5_K },
    { "llama", 80, 64, 8, "Q4_K_M", 10, LK_LINEAR_V, TRUE, LK_TYPE_Q5_1 },
    { "llama", 80, 64, 8, "Q4_K_M", 10, LK_LINEAR_DOWN, FALSE, LK_TYPE_Q4_K },
    { "llama", 80, 64, 8, "Q4_K_M", 10, LK_LINEAR_K, FALSE, LK_TYPE_Q4_K },
    { "llama", 80, 64, 8, "Q4_K_S", 40, LK_LINEAR_V, FALSE, LK_TYPE_Q5_K },
    { "llama", 80, 64, 8, "Q5_K_M", 10, LK_LINEAR_V, FALSE, LK_TYPE_Q5_K },
    { "llama", 80, 64, 8, "Q4_0", 10, LK_LINEAR_V, FALSE, LK_TYPE_Q4_0 },
    { "llama", 80, 64, 64, "Q4_K_M", 10, LK_LINEAR_V, FALSE, LK_TYPE_Q4_K }, /* Llama of 65 billion */
    { "llama", 32, 32, 8, "Q4_K_M", 4, LK_LINEAR_V, FALSE, LK_TYPE_Q4_K },
    { "qwen2", 80, 64, 8, "Q4_K_M", 10, LK_LINEAR_V, FALSE, LK_TYPE_Q5_K },
    { "qwen3", 80, 64, 8, "Q4_K_M", 10, LK_LINEAR_V, FALSE, LK_TYPE_Q4_K },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      LkModelConfig config = { .family = lk_family_from_gguf (cases[i].architecture),
                               .layers = cases[i].layers,
                               .heads = cases[i].heads,
                               .kv_heads = cases[i].kv_heads };
      LkModelTensor tensor = { NULL, (char *) "blk", cases[i].odd ? &odd : &wide, cases[i].layer, cases[i].role };

      g_test_message ("%s of %s, case %u", cases[i].recipe, cases[i].architecture, i);
      g_assert_cmpint (lk_gguf_recipe_type (lk_gguf_recipe_find (cases[i].recipe), &config, &tensor), ==, cases[i].type);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/export/recipes/table", test_recipes);
  g_test_add_func ("/export/recipes/70b", test_recipe_70b);
  return g_test_run ();
}
