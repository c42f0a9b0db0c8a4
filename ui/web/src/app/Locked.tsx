// What is seen without the token.

export function Locked({ message }: { message: string }) {
  return (
    <main className="says-why">
      <p>
        <strong>This page needs the URL that tapper printed</strong>, with what is behind its #. It is printed at the
        start; in the terminal, w opens it again.
      </p>
      <p>{message}</p>
    </main>
  );
}
