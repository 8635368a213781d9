package dev.faultlayer.runtime.sdk;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** What an attempt meets: a delay, and maybe an answer after it. */
final class Answer {
    final long delayUs;

    /** 0: the call goes out after the delay. */
    final int status;

    /** Names and values in turn. */
    final String[] headers;

    final byte[] body;

    private Answer(DataInputStream in) throws IOException {
        delayUs = in.readLong();
        status = in.readUnsignedShort();
        headers = new String[status == 0 ? 0 : in.readUnsignedShort()];
        for (int i = 0; i < headers.length; i++) {
            headers[i] = new String(in.readNBytes(in.readUnsignedShort()), StandardCharsets.UTF_8);
        }
        body = in.readAllBytes();
    }

    /** From the engine's form. */
    static Answer read(byte[] met) {
        try {
            return new Answer(new DataInputStream(new ByteArrayInputStream(met)));
        } catch (IOException cut) {
            throw new UncheckedIOException(cut);
        }
    }

    boolean goesOut() {
        return status == 0;
    }
}
