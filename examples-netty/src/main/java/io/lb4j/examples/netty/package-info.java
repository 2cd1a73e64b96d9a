/** The data path inside Netty pipelines, for those who have their own input and output. Imports lb-core and Netty. */
package io.lb4j.examples.netty;
