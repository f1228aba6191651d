/* Who the profile makes of whoever asks, by each way in which the SDK finds credentials; prints a list of the two. */
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromIni, fromNodeProviderChain } from "@aws-sdk/credential-providers";

const [profile] = process.argv.slice(2);

const ask = async (credentials) => {
  const { Account, Arn } = await new STSClient({ profile, credentials }).send(new GetCallerIdentityCommand());
  return { Account, Arn };
};

console.log(JSON.stringify([await ask(fromIni({ profile })), await ask(fromNodeProviderChain({ profile }))]));
