/** Direct server return: only the MAC addresses change and the server answers the client itself. */
package io.lb4j.dsr;
