package shapes;

/** What {@link Starting} starts. */
public final class Child {
    private Child() {}

    public static void main(String[] arguments) {
        System.out.println("child ran");
    }
}
