package shapes

import com.amazonaws.services.lambda.runtime.Context
import com.amazonaws.services.lambda.runtime.RequestHandler

/** As the Kotlin compiler writes it: final, with null checks and synthetic bridges. */
class KotlinHandler : RequestHandler<Map<String, Any?>, Map<String, Any?>> {
    override fun handleRequest(event: Map<String, Any?>, context: Context): Map<String, Any?> {
        require("please fail" !in event.values) { "refused by the handler" }
        return mapOf("statusCode" to 200, "body" to "kotlin ${event.keys}")
    }
}

fun topLevel(event: String): String {
    require(event != "please fail") { "refused by the handler" }
    return "top level: $event"
}
