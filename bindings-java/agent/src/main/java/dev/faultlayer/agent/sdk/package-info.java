/** What stands in AWS's SDK's own class loader, which has the classes that it is made of. Only {@code SdkTransformer} puts it there. */
package dev.faultlayer.agent.sdk;
