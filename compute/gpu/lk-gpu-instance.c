/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "lorikeet-gpu"
#include "lk-gpu-instance.h"

#include "lk-gpu-error.h"

#include <string.h>

#define VALIDATION_LAYER "VK_LAYER_KHRONOS_validation"

struct _LkGpuInstance
{
  VkInstance instance;
  VkDebugUtilsMessengerEXT messenger;
  guint32 api_version;
  guint validation; /* 0 off, 1 core, 2 with synchronisation */
  gint errors;      /* atomic */
};

static VKAPI_ATTR VkBool32 VKAPI_CALL
message_cb (VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT types,
            const VkDebugUtilsMessengerCallbackDataEXT *data, void *user_data)
{
  LkGpuInstance *self = user_data;

  g_atomic_int_inc (&self->errors);
  /* In a test this ends it. */
  g_critical ("Vulkan validation: %s", data->pMessage);
  return VK_FALSE;
}

static gboolean
has_validation_layer (void)
{
  g_autofree VkLayerProperties *layers = NULL;
  guint32 n = 0;

  if (vkEnumerateInstanceLayerProperties (&n, NULL) != VK_SUCCESS || n == 0)
    return FALSE;
  layers = g_new0 (VkLayerProperties, n);
  if (vkEnumerateInstanceLayerProperties (&n, layers) < 0)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (g_str_equal (layers[i].layerName, VALIDATION_LAYER))
      return TRUE;
  return FALSE;
}

static gboolean
create_instance (LkGpuInstance *self, GError **error)
{
  static const char *const layers[] = { VALIDATION_LAYER };
  static const char *const extensions[] = { VK_EXT_DEBUG_UTILS_EXTENSION_NAME };
  const VkValidationFeatureEnableEXT enables[]
    = { VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT };
  VkDebugUtilsMessengerCreateInfoEXT messenger = {
    .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
    .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT
                       | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
    .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
    .pfnUserCallback = message_cb,
    .pUserData = self,
  };
  VkValidationFeaturesEXT features = {
    .sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
    .pNext = &messenger,
    .enabledValidationFeatureCount = self->validation > 1 ? G_N_ELEMENTS (enables) : 0,
    .pEnabledValidationFeatures = enables,
  };
  const VkApplicationInfo application = {
    .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
    .pApplicationName = "Lorikeet",
    .apiVersion = self->api_version,
  };
  const VkInstanceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
    .pNext = self->validation ? &features : NULL,
    .pApplicationInfo = &application,
    .enabledLayerCount = self->validation ? G_N_ELEMENTS (layers) : 0,
    .ppEnabledLayerNames = layers,
    .enabledExtensionCount = self->validation ? G_N_ELEMENTS (extensions) : 0,
    .ppEnabledExtensionNames = extensions,
  };
  PFN_vkCreateDebugUtilsMessengerEXT create_messenger;
  VkResult result = vkCreateInstance (&info, NULL, &self->instance);

  if (result != VK_SUCCESS)
    return lk_gpu_error_set (error, result, "Could not start Vulkan");
  if (!self->validation)
    return TRUE;
  create_messenger = (PFN_vkCreateDebugUtilsMessengerEXT)
    vkGetInstanceProcAddr (self->instance, "vkCreateDebugUtilsMessengerEXT");
  result = create_messenger (self->instance, &messenger, NULL, &self->messenger);
  if (result != VK_SUCCESS)
    return lk_gpu_error_set (error, result, "Could not listen to the Vulkan validation layers");
  return TRUE;
}

/* A bare instance that lives as long as the process, so that the drivers stay loaded when ours goes: Mesa
 * leaks what its threads hold when it is unloaded, and loading costs more than all the rest. Failure is the
 * next call's to report. */
static void
keep_drivers_loaded (void)
{
  static VkInstance kept;
  static gsize done;
  const VkInstanceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO };

  if (!g_once_init_enter (&done))
    return;
  if (vkCreateInstance (&info, NULL, &kept) != VK_SUCCESS)
    kept = VK_NULL_HANDLE;
  g_once_init_leave (&done, 1);
}

LkGpuInstance *
lk_gpu_instance_new (GError **error)
{
  g_autoptr (LkGpuInstance) self = g_new0 (LkGpuInstance, 1);
  const char *validation = g_getenv ("LK_VALIDATION");
  guint64 level = 0;
  VkResult result = vkEnumerateInstanceVersion (&self->api_version);

  if (result != VK_SUCCESS || self->api_version < VK_API_VERSION_1_2)
    {
      g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND,
                   "The Vulkan loader of this computer is older than version 1.2, which is needed.");
      return NULL;
    }
  self->api_version = MIN (self->api_version, VK_API_VERSION_1_3);
  if (validation && *validation && !g_ascii_string_to_unsigned (validation, 10, 0, 2, &level, error))
    {
      g_prefix_error (error, "LK_VALIDATION: ");
      return NULL;
    }
  self->validation = (guint) level;
  if (self->validation && !has_validation_layer ())
    {
      g_set_error (error, LK_ERROR, LK_ERROR_NOT_FOUND,
                   "LK_VALIDATION is set, but the Vulkan validation layers (%s) are not installed.",
                   VALIDATION_LAYER);
      return NULL;
    }
  keep_drivers_loaded ();
  if (!create_instance (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
lk_gpu_instance_free (LkGpuInstance *self)
{
  if (!self)
    return;
  if (self->messenger)
    {
      PFN_vkDestroyDebugUtilsMessengerEXT destroy = (PFN_vkDestroyDebugUtilsMessengerEXT)
        vkGetInstanceProcAddr (self->instance, "vkDestroyDebugUtilsMessengerEXT");
      destroy (self->instance, self->messenger, NULL);
    }
  if (self->instance)
    vkDestroyInstance (self->instance, NULL);
  g_free (self);
}

VkInstance
lk_gpu_instance_get_handle (LkGpuInstance *self)
{
  return self->instance;
}

gboolean
lk_gpu_instance_get_validates (LkGpuInstance *self)
{
  return self->validation > 0;
}

guint
lk_gpu_instance_get_validation_errors (LkGpuInstance *self)
{
  return (guint) g_atomic_int_get (&self->errors);
}

GArray *
lk_gpu_instance_list (LkGpuInstance *self, GError **error)
{
  g_autoptr (GArray) devices = g_array_new (FALSE, TRUE, sizeof (VkPhysicalDevice));
  guint32 n = 0;
  VkResult result = vkEnumeratePhysicalDevices (self->instance, &n, NULL);

  if (result >= 0 && n > 0)
    {
      g_array_set_size (devices, n);
      result = vkEnumeratePhysicalDevices (self->instance, &n, (VkPhysicalDevice *) (void *) devices->data);
      g_array_set_size (devices, n);
    }
  if (result < 0)
    {
      lk_gpu_error_set (error, result, "Could not list the graphics cards");
      return NULL;
    }
  return g_steal_pointer (&devices);
}
