"""The pages: each is made of components, and shows what the desk's mirror holds."""
