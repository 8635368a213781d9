/** What stands in AWS's SDK's own class loader, which has the classes that it is made of. Only {@code SdkHelpers} puts it there. */
package dev.faultlayer.runtime.sdk;
